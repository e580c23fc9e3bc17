import type { Clock, Ref } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';
import type { ControllerMessage } from '../controller/controller-messages.ts';
import type { HostNotice } from '../notices.ts';
import type { RelayedLine } from '../vm/vm-messages.ts';
import type { RelayDesk } from './relay-desk.ts';

export interface RelayIntakeOptions {
  /** Undefined: nobody relays commands, and every line is refused. */
  readonly desk: RelayDesk | undefined;
  readonly clock: Clock;
  readonly obey: (command: Extract<ControllerMessage, { kind: 'start' | 'stop' }>) => void;
  readonly notices: Ref<HostNotice>;
}

interface Refusals {
  /** No other is told before. */
  quietUntilMs: number;
  untold: number;
}

/** A VM's refused lines are told of once in so long, with how many there were. */
const QUIET_MS = 10_000;

/** What the controller does with the lines that guests relay: it obeys, or tells why not. */
export class RelayIntake {
  readonly #options: RelayIntakeOptions;
  readonly #refusals = new Map<VmId, Refusals>();

  constructor(options: RelayIntakeOptions) {
    this.#options = options;
  }

  take(line: RelayedLine): void {
    const { desk, obey } = this.#options;
    if (desk === undefined) return this.#refuse(line.vm, 'forged', 'no server relays commands here');
    const judgement = desk.judge(line);
    if (judgement.ok) obey(judgement.command);
    else this.#refuse(line.vm, judgement.refusal, judgement.why);
  }

  /** The VM is gone. */
  forget(vm: VmId): void {
    this.#refusals.delete(vm);
  }

  #refuse(vm: VmId, refusal: Extract<HostNotice, { kind: 'relay-refused' }>['refusal'], why: string): void {
    const { clock, notices } = this.#options;
    const nowMs = clock.monotonic();
    const refusals = this.#refusals.get(vm) ?? { quietUntilMs: 0, untold: 0 };
    this.#refusals.set(vm, refusals);
    if (nowMs < refusals.quietUntilMs) {
      refusals.untold += 1;
      return;
    }
    const more = refusals.untold;
    refusals.untold = 0;
    refusals.quietUntilMs = nowMs + QUIET_MS;
    notices.tell({ kind: 'relay-refused', vm, refusal, why, more });
  }
}
