import { ShoalError } from '../errors.ts';
import type { SpawnOptions } from './behaviour.ts';
import {
  CAPACITY,
  COUNT,
  checked,
  checkGiven,
  checkOptions,
  FUNCTION,
  MS_ABOVE_0,
  MS_FROM_0,
  type Rules,
  rule,
  shown,
} from './checks.ts';
import type { Overflow } from './mailbox.ts';

export const CAPACITY_DEFAULT = 65_536;
export const STOP_TIMEOUT_MS_DEFAULT = 30_000;

const OVERFLOWS: readonly unknown[] = ['fail', 'drop-oldest', 'drop-newest', 'backpressure'] satisfies Overflow[];

export const OVERFLOW = rule('fail, drop-oldest, drop-newest or backpressure', (value) => OVERFLOWS.includes(value));
/** For a message that is sent over and over. */
export const MAKER = rule('a function that returns the message', FUNCTION.passes);
const NAME = rule('a text with at least one character and without "/"', isName);

const SPAWN_RULES: Rules<Omit<SpawnOptions, 'name'>> = {
  capacity: CAPACITY,
  overflow: OVERFLOW,
  stopTimeoutMs: MS_FROM_0,
  startTimeoutMs: MS_ABOVE_0,
  mailbox: FUNCTION,
};

/** What `checkSpawnOptions` knows. */
export const SPAWN_NAMES: readonly string[] = Object.keys(SPAWN_RULES);

const NAMED_RULES: Rules<SpawnOptions> = { ...SPAWN_RULES, name: NAME };

/** @throws CONFIG_VALUE for a delay below 0, or that is no number */
export function checkedDelay(option: string, ms: number): number {
  return checked(option, ms, MS_FROM_0);
}

/** @throws CONFIG_VALUE for a count that is no whole number from 0 up, nor infinity */
export function checkedCount(count: number): number {
  return checked('count', count, COUNT);
}

/** @throws CONFIG_VALUE for a duration of 0 or less, or that is no number */
export function checkedDuration(option: string, ms: number): number {
  return checked(option, ms, MS_ABOVE_0);
}

/** @param timeoutMs for an end; undefined: the default @throws CONFIG_VALUE if it is below 0, or no number */
export function checkedLimit(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined ? undefined : checked('timeoutMs', timeoutMs, MS_FROM_0);
}

/**
 * Checks the options of a spawn before there is an actor, all but the name.
 * @throws CONFIG_VALUE, also for an option that there is not
 */
export function checkSpawnOptions(options: Omit<SpawnOptions, 'name'>): void {
  checkOptions('an actor', options, SPAWN_RULES);
}

/** @throws CONFIG_VALUE, also for a name that makes a path ambiguous */
export function checkNamedSpawnOptions(options: SpawnOptions): void {
  checkGiven('an actor', options, NAMED_RULES);
}

/** For a behaviour that returned `got` instead of a function, as programs in JavaScript may. */
export function noReceive(path: string, got: unknown): ShoalError {
  const text = `Expected the behaviour of ${path} to return the function that handles its messages, got ${shown(got)}`;
  return new ShoalError('CONFIG_VALUE', text);
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && !name.includes('/');
}
