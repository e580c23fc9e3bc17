import type { Clock, Random } from '../../actors/mod.ts';
import type { IssuedRelay, Relay, RelayedCommand, RelayPort, VmId } from '../../fleet/mod.ts';
import type { RelayedLine } from '../vm/vm-messages.ts';
import { CommandSigner } from './signed-command.ts';

/** Why a relayed line is not obeyed. */
export type RelayRefusal = 'forged' | 'changed' | 'replayed' | 'late';

export type RelayJudgement =
  | { readonly ok: true; readonly command: RelayedCommand }
  | { readonly ok: false; readonly refusal: RelayRefusal; readonly why: string };

interface Open extends Relay {
  readonly untilMs: number;
}

/** Of so many commands that are over it is known how they ended; older ones are late. */
const OVER_MAX = 1_024;

/**
 * The commands of one host that are on their way through guests (R10). The router puts them in, the controller takes them out when
 * they come back. A line is obeyed only if it is signed, was made by the present router for the guest that printed it, is in time, and
 * has neither been obeyed nor withdrawn.
 */
export class RelayDesk implements RelayPort {
  readonly #signer: CommandSigner;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #open = new Map<number, Open>();
  readonly #over = new Map<number, 'obeyed' | 'withdrawn'>();
  #router = '';
  #last = 0;

  constructor(secret: Uint8Array, clock: Clock, random: Random) {
    this.#signer = new CommandSigner(secret);
    this.#clock = clock;
    this.#random = random;
    this.begin();
  }

  begin(): void {
    this.#router = Buffer.from(this.#random.bytes(8)).toString('hex');
    this.#open.clear();
    this.#over.clear();
  }

  issue(relay: Relay, untilMs: number): IssuedRelay {
    this.#last += 1;
    const number = this.#last;
    this.#open.set(number, { ...relay, untilMs });
    return { number, line: this.#signer.sign(relay, this.#router, number) };
  }

  withdraw(number: number): Relay | undefined {
    return this.#end(number, 'withdrawn');
  }

  withdrawAllOf(vm: VmId): void {
    for (const [number, { command }] of this.#open) if (command.vm === vm) this.withdraw(number);
  }

  /** A guest has printed the line. The command that is returned is no longer on its way: whoever asks must obey it. */
  judge({ vm, line }: RelayedLine): RelayJudgement {
    const said = this.#signer.read(line);
    if (said === undefined) return refused('forged', 'it is no command of a server');
    const { router, number, through, isSigned } = said;
    const isOurs = router === this.#router;
    const open = isOurs ? this.#open.get(number) : undefined;
    const over = isOurs ? this.#over.get(number) : undefined;
    if (!isSigned) {
      return open === undefined && over === undefined
        ? refused('forged', 'its signature is wrong')
        : refused('changed', `it is not command ${number} as it was signed`);
    }
    if (!isOurs) return refused('late', 'the router that made it has ended');
    if (through !== vm) return refused('replayed', `it was given to VM ${through} to relay`);
    if (over === 'obeyed') return refused('replayed', `command ${number} was obeyed already`);
    if (open === undefined) return refused('late', `command ${number} went another way`);
    if (this.#clock.monotonic() > open.untilMs) return refused('late', `the time of command ${number} is over`);
    this.#end(number, 'obeyed');
    return { ok: true, command: open.command };
  }

  #end(number: number, how: 'obeyed' | 'withdrawn'): Relay | undefined {
    const open = this.#open.get(number);
    if (open === undefined) return undefined;
    this.#open.delete(number);
    this.#over.set(number, how);
    const [oldest] = this.#over.keys();
    if (this.#over.size > OVER_MAX && oldest !== undefined) this.#over.delete(oldest);
    return open;
  }
}

function refused(refusal: RelayRefusal, why: string): RelayJudgement {
  return { ok: false, refusal, why };
}
