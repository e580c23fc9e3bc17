import type { Clock } from '../actors/mod.ts';
import type { ShoalError } from '../errors.ts';
import { forbidden, type PermissionViolation, patternOf } from './permissions.ts';

/** Tells the operator of a missing permission; the connection itself goes on without. */
export interface PermissionNotice extends PermissionViolation {
  /** Violations of this kind since the previous notice; 1 in the first. */
  readonly count: number;
  /** NATS_FORBIDDEN; its message names the subject and the remedy. */
  readonly error: ShoalError;
}

/** Every refused reply is a violation. */
const NOTICE_INTERVAL_MS = 60_000;
/** Clients choose reply subjects, so the number of kinds needs a limit. */
const KINDS_MAX = 64;

interface Told {
  atMs: number;
  untold: number;
}

/** Turns violations into notices: one at once for each kind, then at most one per minute. */
export class PermissionNotices {
  readonly #clock: Clock;
  readonly #server: () => string;
  readonly #onNotice: (notice: PermissionNotice) => void;
  readonly #told = new Map<string, Told>();

  constructor(clock: Clock, server: () => string, onNotice: (notice: PermissionNotice) => void) {
    this.#clock = clock;
    this.#server = server;
    this.#onNotice = onNotice;
  }

  add(violation: PermissionViolation): void {
    const nowMs = this.#clock.monotonic();
    const told = this.#toldOf(`${violation.operation} ${patternOf(violation.subject)}`);
    told.untold += 1;
    if (nowMs - told.atMs < NOTICE_INTERVAL_MS) return;
    const count = told.untold;
    told.atMs = nowMs;
    told.untold = 0;
    this.#onNotice({ ...violation, count, error: forbidden(violation, this.#server()) });
  }

  /** For a new connection, whose permissions may have changed. */
  reset(): void {
    this.#told.clear();
  }

  #toldOf(kind: string): Told {
    const key = this.#told.size < KINDS_MAX || this.#told.has(kind) ? kind : 'all others';
    const known = this.#told.get(key);
    if (known !== undefined) return known;
    const made = { atMs: Number.NEGATIVE_INFINITY, untold: 0 };
    this.#told.set(key, made);
    return made;
  }
}
