import type { FleetEvent, RequestRecord } from '../fleet/mod.ts';
import { Ring } from './ring.ts';

/** Decisions about VMs, each kept in full: a start, a drain, a stop, or why none could be started; and the ends that came of them. */
export const DECISIONS_KEPT = 2_000;
/** Steps of requests, of which the router tells a sample. */
export const REQUEST_STEPS_KEPT = 4_000;

const KINDS: ReadonlySet<FleetEvent['kind']> = new Set(['vm-start', 'vm-drain', 'vm-stop', 'vm-gone', 'blocked']);

/** What `shoal explain` knows. It is kept apart from the events, of which others are so many that they would push it out. */
export class Explanations {
  readonly #decisions: Ring<FleetEvent>;
  readonly #steps: Ring<RequestRecord>;
  #onStep: ((step: RequestRecord) => void) | undefined;

  constructor(decisionsKept = DECISIONS_KEPT, stepsKept = REQUEST_STEPS_KEPT) {
    this.#decisions = new Ring(decisionsKept);
    this.#steps = new Ring(stepsKept);
  }

  /** When the oldest decision was made that is kept; milliseconds since the epoch. */
  get decisionsSinceMs(): number | undefined {
    return this.#decisions.oldest?.atMs;
  }

  get stepsSinceMs(): number | undefined {
    return this.#steps.oldest?.atMs;
  }

  see(event: FleetEvent): void {
    // R8 ends a VM on a held address. One that is left alone is decided about by no rule.
    const isIntruder = event.kind === 'unidentified' && event.rule !== undefined;
    if (isIntruder || KINDS.has(event.kind)) this.#decisions.add(event);
  }

  seeStep(step: RequestRecord): void {
    this.#steps.add(step);
    this.#onStep?.(step);
  }

  /** Passes each step on as it comes. */
  listen(onStep: (step: RequestRecord) => void): void {
    this.#onStep = onStep;
  }

  /** The latest decisions, oldest first. An end is none. */
  last(count: number): readonly FleetEvent[] {
    return this.#decisions
      .all()
      .filter(({ kind }) => kind !== 'vm-gone')
      .slice(-count);
  }

  /** Oldest first. */
  ofVm(vm: number): readonly FleetEvent[] {
    return this.#decisions.all().filter((event) => event.vm === vm);
  }

  /** Oldest first. */
  ofRequest(requestId: string): readonly RequestRecord[] {
    return this.#steps.all().filter((step) => step.requestId === requestId);
  }
}
