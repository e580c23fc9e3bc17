import type { FailureFields, Logger } from '../actors/mod.ts';
import type { EventLog } from './event-log.ts';

/** Failures and dead letters of Shoal's own actors are warnings among the events, and nothing on the terminal. */
export class EventLogger implements Logger {
  readonly #eventLog: EventLog;
  #isEnding = false;

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** From now on dead letters are not told: actors that end in order leave some to those that have ended before. */
  end(): void {
    this.#isEnding = true;
  }

  warn(line: string): void {
    if (!this.#isEnding) this.#eventLog.warn(line);
  }

  error(line: string, { error }: FailureFields): void {
    this.#eventLog.warn(line, error);
  }
}
