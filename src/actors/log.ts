import { inspect } from 'node:util';
import type { ErrorEnvelope } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { DeadLetter } from './dead-letters.ts';
import { safe } from './hooks.ts';
import { RateLimit } from './rate-limit.ts';

/** A failure, or how many were left out. */
export interface FailureFields {
  readonly path?: string;
  /** With the stack. */
  readonly error?: ErrorEnvelope;
  readonly omitted?: number;
}

/** A dead letter, or how many were left out. */
export interface DeadLetterFields extends Partial<DeadLetter> {
  readonly omitted?: number;
}

/** Where a system reports what no hook takes. `console` is one. */
export interface Logger {
  /** A message was not delivered. */
  warn(line: string, fields: DeadLetterFields): void;
  /** An actor has failed. */
  error(line: string, fields: FailureFields): void;
}

/** Lines of a kind within a period. The rest is only counted: failures and dead letters have no limit. */
const LINES_MAX = 10;
const PERIOD_MS = 5_000;
const MESSAGE_CHARS_MAX = 200;

/** The default. Prints each line, and the stack of an error with its causes below. */
export const stderrLogger: Logger = {
  // A console survives the loss of its reader, which a stream does not.
  warn: (line) => console.error(line),
  error: (line, { error }) => console.error(line + (error === undefined ? '' : stackOf(error))),
};

/** Writes nothing. */
export const silentLogger: Logger = { warn: () => undefined, error: () => undefined };

/** Makes lines of the failures and dead letters of a system, a few of each in a period, with a count of the others. */
export class SystemLog {
  readonly #isSilent: boolean;
  readonly #warn: Logger['warn'];
  readonly #error: Logger['error'];
  readonly #failures: RateLimit;
  readonly #letters: RateLimit;

  constructor(logger: Logger, clock: Clock) {
    // Not even the timer of a period is set then.
    this.#isSilent = logger === silentLogger;
    // Loggers are objects with methods.
    this.#warn = safe((line, fields) => logger.warn(line, fields));
    this.#error = safe((line, fields) => logger.error(line, fields));
    const limits = { clock, max: LINES_MAX, periodMs: PERIOD_MS };
    this.#failures = new RateLimit({
      ...limits,
      onOmitted: (omitted) => this.#error(`${omitted} more failures of actors are not listed`, { omitted }),
    });
    this.#letters = new RateLimit({
      ...limits,
      onOmitted: (omitted) => this.#warn(`${omitted} more dead letters are not listed`, { omitted }),
    });
  }

  readonly failure = (path: string, error: ErrorEnvelope): void => {
    if (this.#isSilent || !this.#failures.admits()) return;
    this.#error(`actor ${path} failed: ${titleOf(error)}`, { path, error });
  };

  readonly deadLetter = (letter: DeadLetter): void => {
    if (this.#isSilent || !this.#letters.admits()) return;
    const { from, to, message, why, error, count = 1 } = letter;
    const what = count === 1 ? 'dead letter' : `${count} dead letters`;
    this.#warn(
      `${what} from ${from} to ${to} (${why}${error === undefined ? '' : `: ${shown(error.message)}`}): ${shown(message)}`,
      letter,
    );
  };

  /** Tells at once how many were left out. */
  flush(): void {
    this.#failures.flush();
    this.#letters.flush();
  }
}

function titleOf({ name, code, message }: ErrorEnvelope): string {
  return `${name}: ${message}${code === undefined ? '' : ` [${code}]`}`;
}

/** The frames of an error and of its causes. The failure of a child has been reported by itself, with its stack. */
function stackOf(error: ErrorEnvelope): string {
  if (error.code === 'ACTOR_CHILD_FAILED') return '';
  const { cause } = error;
  const frames = framesOf(error);
  return cause === undefined ? frames : `${frames}\n  caused by ${titleOf(cause)}${stackOf(cause)}`;
}

function framesOf({ stack = '' }: ErrorEnvelope): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.map((frame) => `\n${frame}`).join('');
}

/** On one line, and short: messages may be of any size. */
function shown(message: unknown): string {
  const text = typeof message === 'string' ? message : inspected(message);
  return text.length > MESSAGE_CHARS_MAX ? `${text.slice(0, MESSAGE_CHARS_MAX)}...` : text;
}

function inspected(message: unknown): string {
  try {
    return inspect(message, {
      depth: 1,
      maxArrayLength: 10,
      maxStringLength: MESSAGE_CHARS_MAX,
      breakLength: Infinity,
    });
  } catch {
    // A getter or a proxy can throw.
    return 'a message that cannot be shown';
  }
}
