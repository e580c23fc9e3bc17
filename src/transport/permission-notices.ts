import type { Clock } from '../actors/mod.ts';
import type { ShoalError } from '../errors.ts';
import { forbidden, type PermissionViolation, patternOf } from './permissions.ts';

/** Word of permissions that are missing, for whoever runs the program: nats.js and the server go on without. */
export interface PermissionNotice extends PermissionViolation {
  /** How many violations of this kind there were since the notice before; 1 in the first. */
  readonly count: number;
  /** NATS_FORBIDDEN, which names the subject and the remedy. */
  readonly error: ShoalError;
}

/** A violation comes with each reply that is refused. */
const NOTICE_INTERVAL_MS = 60_000;
/** Clients choose the subjects of replies. */
const KINDS_MAX = 64;

interface Told {
  atMs: number;
  untold: number;
}

/** Makes one notice a minute of all violations of one kind; the first is told at once. */
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

  /** Permissions may have changed with the connection. */
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
