import type { Context, Ref } from '../../actors/mod.ts';
import { RELAY_MS } from '../policy/control.ts';
import type { HostCommand } from '../values/host-messages.ts';
import type { Relay, RelayPort } from '../values/relay.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Links } from './links.ts';
import type { RouterMessage } from './router-messages.ts';

/** What the effects need of it. */
export type RelaySender = Pick<Relays, 'send' | 'withdrawAllOf'>;

/** R10: sends commands through guests, and sees to it that none is lost there. */
export class Relays {
  readonly #context: Context<RouterMessage>;
  readonly #links: Pick<Links, 'tell'>;
  readonly #port: RelayPort;
  readonly #controller: Ref<HostCommand>;

  constructor(
    context: Context<RouterMessage>,
    links: Pick<Links, 'tell'>,
    port: RelayPort,
    controller: Ref<HostCommand>,
  ) {
    this.#context = context;
    this.#links = links;
    this.#port = port;
    this.#controller = controller;
    port.begin();
  }

  send(relay: Relay): void {
    const { through } = relay;
    // One of a kind: a VM is told to start and to stop once, and what came before is out of date.
    this.withdrawAllOf(relay.command.vm);
    const { number, line } = this.#port.issue(relay, this.#context.clock.monotonic() + RELAY_MS);
    this.#controller.tell({ kind: 'listen', vm: through });
    const isSent = this.#links.tell(through, { kind: 'relay', line });
    this.#context.after(isSent ? RELAY_MS : 0, { kind: 'relay-due', number });
  }

  withdrawAllOf(vm: VmId): void {
    this.#port.withdrawAllOf(vm);
  }

  /** The time of a command is over. @returns undefined if it was obeyed, or is out of date */
  overdue(number: number): Relay | undefined {
    return this.#port.withdraw(number);
  }
}
