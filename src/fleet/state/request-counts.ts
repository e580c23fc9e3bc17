import type { Outcome } from '../values/request.ts';
import type { Rule } from '../values/rule.ts';

/** What the router has done with requests since it started; for metrics. */
export interface RequestFigures {
  readonly accepted: number;
  readonly ok: number;
  /** By status. */
  readonly failed: Readonly<Record<string, number>>;
  /** By the rule that decided where a request went when it came; R11 are repeats. */
  readonly routed: Readonly<Record<string, number>>;
  /** Requests that were handed on to other hosts, that these have refused, and that others have handed to this one. */
  readonly handed: { readonly on: number; readonly refused: number; readonly in: number };
}

export class RequestCounts {
  accepted = 0;
  handedOn = 0;
  handedBack = 0;
  handedIn = 0;
  #ok = 0;
  readonly #failed = new Map<number, number>();
  readonly #routed = new Map<Rule, number>();

  routed(rule: Rule): void {
    this.#routed.set(rule, (this.#routed.get(rule) ?? 0) + 1);
  }

  ended(outcome: Outcome): void {
    if (outcome.ok) this.#ok += 1;
    else this.#failed.set(outcome.status, (this.#failed.get(outcome.status) ?? 0) + 1);
  }

  figures(): RequestFigures {
    return {
      accepted: this.accepted,
      ok: this.#ok,
      failed: Object.fromEntries(this.#failed),
      routed: Object.fromEntries(this.#routed),
      handed: { on: this.handedOn, refused: this.handedBack, in: this.handedIn },
    };
  }
}
