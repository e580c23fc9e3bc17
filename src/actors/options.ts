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
  if (capacity >= 0) return capacity;
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
  const { capacity, overflow, stopTimeoutMs, mailbox, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const known = 'capacity, overflow, stopTimeoutMs or mailbox';
    throw new ShoalError('CONFIG_VALUE', `Expected an option to be ${known}, got \`${unknown}\``);
  }
  if (capacity !== undefined) checkedCapacity(capacity);
  if (overflow !== undefined && !OVERFLOWS.includes(overflow)) {
    throw refused('overflow', 'fail, drop-oldest, drop-newest or backpressure', overflow);
  }
  if (stopTimeoutMs !== undefined && !(stopTimeoutMs >= 0)) {
    throw refused('stopTimeoutMs', 'a number of milliseconds from 0 up', stopTimeoutMs);
  }
  if (mailbox !== undefined && typeof mailbox !== 'function') throw refused('mailbox', 'a function', mailbox);
}

function refused(option: string, expected: string, value: unknown): ShoalError {
  return new ShoalError('CONFIG_VALUE', `Expected \`${option}\` to be ${expected}, got \`${value}\` (${typeof value})`);
}
