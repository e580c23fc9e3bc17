import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { ActorSystem } from '../behaviour.ts';
import { checkOptions, FUNCTION, type Rules, TEXT } from '../checks.ts';
import type { Exit, Ref } from '../ref.ts';
import { ManualClock } from './manual-clock.ts';

/** A predicate, or the properties that a message must have, compared deeply. Further properties do not matter. */
export type Match<M> = ((message: M) => boolean) | Partial<M>;

export interface ProbeOptions {
  readonly name?: string;
  /** When to stop waiting for a message; default: after 5 s of the machine's time. */
  readonly patience?: () => Promise<void>;
}

/** An actor for tests: give `probe.ref` to the code under test, then expect messages. */
export interface Probe<M> {
  readonly ref: Ref<M>;
  /** All messages so far, oldest first. */
  readonly received: readonly M[];
  /** The next message that was not returned yet. It must match, if a match is given. */
  expect<T extends M = M>(match?: Match<T>): Promise<T>;
  /** The next message that matches. Those before it are passed over. */
  fishFor<T extends M = M>(match: Match<T>): Promise<T>;
  /** No further message arrives within `ms` on the system's clock, which is moved on if it is a manual one. */
  expectNone(ms?: number): Promise<void>;
}

const PATIENCE_MS_DEFAULT = 5_000;

export function probe<M>(system: ActorSystem, options: ProbeOptions = {}): Probe<M> {
  return new RecordingProbe<M>(system, options);
}

/** Matches the end of an actor that failed with this code; for use with `context.watch` or `system.ended`. */
export function isFailure(code: string): (exit: Exit) => boolean {
  return ({ reason }) => reason.kind === 'error' && reason.error.code === code;
}

class RecordingProbe<M> implements Probe<M> {
  readonly ref: Ref<M>;
  readonly received: M[] = [];
  #seen = 0;
  #arrived: () => void = () => undefined;
  readonly #system: ActorSystem;
  readonly #patience: () => Promise<void>;

  constructor(system: ActorSystem, options: ProbeOptions) {
    checkOptions('a probe', options, { name: TEXT, patience: FUNCTION } satisfies Rules<ProbeOptions>);
    const { name, patience } = options;
    this.#system = system;
    this.#patience = patience ?? patienceOfMachine;
    const record = (message: M): void => {
      this.received.push(message);
      this.#arrived();
    };
    this.ref = system.spawn<M>(() => record, name === undefined ? {} : { name });
  }

  async expect<T extends M = M>(match?: Match<T>): Promise<T> {
    const message = await this.#next(`${this.ref.path}: expected ${describe(match)}`);
    if (match !== undefined && !matches(message, match)) {
      throw new AssertionError({
        message: `${this.ref.path}: expected ${describe(match)}, got ${inspect(message)}`,
        actual: message,
        expected: match,
        stackStartFn: this.expect,
      });
    }
    // The message was just matched against T, or the caller takes any message.
    return message as T;
  }

  async fishFor<T extends M = M>(match: Match<T>): Promise<T> {
    const first = this.#seen;
    for (;;) {
      const passed = (): string =>
        this.received
          .slice(first)
          .map((message) => `\n  passed over: ${inspect(message)}`)
          .join('');
      const message = await this.#next(() => `${this.ref.path}: no message is ${describe(match)}${passed()}`);
      // The message was just matched against T.
      if (matches(message, match)) return message as T;
    }
  }

  async expectNone(ms = 0): Promise<void> {
    const { clock } = this.#system;
    if (clock instanceof ManualClock) await clock.advance(ms);
    else await new Promise<void>((resolve) => clock.timer(ms, resolve));
    const unseen = this.received.slice(this.#seen);
    if (unseen.length > 0) {
      throw new AssertionError({
        message: `${this.ref.path}: expected no message within ${ms} ms, got ${unseen.map((message) => inspect(message)).join(', ')}`,
        actual: unseen,
        expected: [],
        stackStartFn: this.expectNone,
      });
    }
  }

  async #next(complaint: string | (() => string)): Promise<M> {
    if (this.#seen === this.received.length) {
      const arrival = new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
      await Promise.race([arrival, this.#patience()]);
    }
    if (this.#seen === this.received.length) {
      const message = typeof complaint === 'string' ? `${complaint}, but no message came` : complaint();
      throw new AssertionError({ message, stackStartFn: this.#next });
    }
    // The index was just compared with the length.
    return this.received[this.#seen++] as M;
  }
}

function matches<T>(message: unknown, match: Match<T>): boolean {
  // A predicate for some messages is called with any of them, as in the user's own `filter`.
  if (typeof match === 'function') return match(message as T);
  return hasAll(message, match);
}

function hasAll(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected))
    return isDeepStrictEqual(actual, expected);
  if (actual === expected) return true;
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(
    // `in` has just found the key.
    ([key, value]) => key in actual && hasAll((actual as Readonly<Record<string, unknown>>)[key], value),
  );
}

function describe(match: unknown): string {
  if (match === undefined) return 'a message';
  return typeof match === 'function' ? `a message for which ${match.toString()}` : `a message with ${inspect(match)}`;
}

/** On the machine's clock, because the system's may stand still. Does not keep the process alive. */
function patienceOfMachine(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS_DEFAULT).unref());
}
