import type { Clock } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Figures, Rule } from './decision.ts';
import type { FleetEvent } from './fleet-event.ts';
import type { Vm } from './vm-record.ts';

export interface Reason {
  /** None for what nobody decided. */
  readonly rule?: Rule;
  readonly figures: Figures;
}

/** Makes news of what happens to VMs and hosts. */
export class EventReporter {
  readonly #clock: Clock;
  readonly #publish: (news: FleetEvent) => void;

  constructor(clock: Clock, publish: (news: FleetEvent) => void) {
    this.#clock = clock;
    this.#publish = publish;
  }

  ofVm(
    kind: FleetEvent['kind'],
    vm: Pick<Vm, 'id' | 'host'>,
    text: string,
    reason?: Reason,
    error?: ErrorEnvelope,
  ): void {
    this.#tell({ kind, vm: vm.id, host: vm.host }, text, reason, error);
  }

  ofHost(kind: FleetEvent['kind'], host: string, text: string, reason?: Reason, error?: ErrorEnvelope): void {
    this.#tell({ kind, host }, text, reason, error);
  }

  #tell(about: Pick<FleetEvent, 'kind' | 'vm' | 'host'>, what: string, reason?: Reason, error?: ErrorEnvelope): void {
    const withRule = reason?.rule === undefined ? what : `${what} (${reason.rule})`;
    const text = error === undefined ? withRule : `${withRule}: ${error.message}`;
    // A decision may be given as the reason; only these two of it are news.
    const rule = reason?.rule === undefined ? {} : { rule: reason.rule };
    const figures = reason === undefined ? {} : { figures: reason.figures };
    const news = { atMs: this.#clock.now(), ...about, ...rule, ...figures, text };
    this.#publish(error === undefined ? news : { ...news, error });
  }
}
