import { ShoalError } from '../errors.ts';
import type { SpawnOptions } from './behaviour.ts';
import type { Overflow } from './mailbox.ts';

export const CAPACITY_DEFAULT = 65_536;
export const STOP_TIMEOUT_MS_DEFAULT = 30_000;

/** @throws CONFIG_VALUE for a throughput that lets no message through */
export function checkedThroughput(throughput: number): number {
  if (Number.isSafeInteger(throughput) && throughput >= 1) return throughput;
  throw refused('throughput', 'a whole number from 1 up', throughput);
}

/** @throws CONFIG_VALUE for a capacity below 0, or that is no number */
export function checkedCapacity(capacity: number): number {
  if (isFrom0Up(capacity)) return capacity;
  throw refused('capacity', 'a number from 0 up', capacity);
}

/** @throws CONFIG_VALUE for a time limit that leaves no time, or that is no number */
export function checkedTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs;
  throw refused('timeoutMs', 'a number of milliseconds above 0', timeoutMs);
}

/** @throws CONFIG_VALUE for a delay below 0, or that is no number */
export function checkedDelay(delayMs: number): number {
  if (delayMs >= 0) return delayMs;
  throw refused('delayMs', 'a number of milliseconds from 0 up', delayMs);
}

/** @throws CONFIG_VALUE for a count that is no whole number from 0 up, nor infinity */
export function checkedCount(count: number): number {
  if (count >= 0 && (Number.isInteger(count) || count === Number.POSITIVE_INFINITY)) return count;
  throw refused('count', 'a whole number from 0 up, or Infinity', count);
}

/** @throws CONFIG_VALUE for a duration of 0 or less, or that is no number */
export function checkedDuration(option: string, ms: number): number {
  // Programs in JavaScript pass texts, which compare like numbers.
  if (typeof ms === 'number' && ms > 0) return ms;
  throw refused(option, 'a number of milliseconds above 0', ms);
}

/** @throws CONFIG_VALUE for a name that makes a path ambiguous */
export function checkedName(name: string): string {
  if (name !== '' && !name.includes('/')) return name;
  throw refused('name', 'a text with at least one character and without "/"', name);
}

const OVERFLOWS: readonly unknown[] = ['fail', 'drop-oldest', 'drop-newest', 'backpressure'] satisfies Overflow[];

/**
 * Checks the options of a spawn before there is an actor, all but the name.
 * @throws CONFIG_VALUE, also for an option that there is not
 */
export function checkSpawnOptions(options: Omit<SpawnOptions, 'name'>): void {
  const { capacity, overflow, stopTimeoutMs, startTimeoutMs, mailbox, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const known = 'capacity, overflow, stopTimeoutMs, startTimeoutMs or mailbox';
    throw new ShoalError('CONFIG_VALUE', `Expected an option to be ${known}, got \`${unknown}\``);
  }
  if (capacity !== undefined) checkedCapacity(capacity);
  if (overflow !== undefined && !OVERFLOWS.includes(overflow)) {
    throw refused('overflow', 'fail, drop-oldest, drop-newest or backpressure', overflow);
  }
  if (stopTimeoutMs !== undefined && !isFrom0Up(stopTimeoutMs)) {
    throw refused('stopTimeoutMs', 'a number of milliseconds from 0 up', stopTimeoutMs);
  }
  if (startTimeoutMs !== undefined) checkedDuration('startTimeoutMs', startTimeoutMs);
  if (mailbox !== undefined && typeof mailbox !== 'function') throw refused('mailbox', 'a function', mailbox);
}

/** For a behaviour that returned `got` instead of a function, as programs in JavaScript may. */
export function noReceive(path: string, got: unknown): ShoalError {
  const text = `Expected the behaviour of ${path} to return the function that handles its messages, got \`${String(got)}\``;
  return new ShoalError('CONFIG_VALUE', text);
}

/** Programs in JavaScript pass texts, which compare like numbers. */
function isFrom0Up(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function refused(option: string, expected: string, value: unknown): ShoalError {
  return new ShoalError('CONFIG_VALUE', `Expected \`${option}\` to be ${expected}, got \`${value}\` (${typeof value})`);
}
