import { type BackOff, checkBackOff } from './back-off.ts';
import type { RestartLimit } from './restart-limit.ts';
import { checkFunction, checkKeys, checkNumber, checkObject, checkOneOf, invalid } from './spec-checks.ts';

/** Which ends of significant children also end their supervisor, in order. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/** The options of both kinds of supervisor. */
export interface SupervisorFlags extends Partial<RestartLimit> {
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** Waits before restarts, for children whose spec has none; default: no waits. */
  readonly backOff?: BackOff;
  /** Returns a number from 0 to 1 for the jitter of back-offs; default: the chance of the system. */
  readonly random?: () => number;
}

export interface CheckedFlags extends RestartLimit {
  readonly autoShutdown: AutoShutdown;
  readonly backOff: BackOff | undefined;
  readonly random: (() => number) | undefined;
}

const AUTO_SHUTDOWNS: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant'];
const LIMIT_NAMES = ['intensity', 'periodMs'];
const NAMES = [...LIMIT_NAMES, 'autoShutdown', 'backOff', 'random'];
const INTENSITY = 'a whole number from 0 up';
const PERIOD = 'a number of milliseconds above 0';

/** OTP's defaults. */
const INTENSITY_DEFAULT = 1;
const PERIOD_MS_DEFAULT = 5_000;

/**
 * @param others the fields that this kind of supervisor has besides
 * @throws SUPERVISOR_SPEC_INVALID
 */
export function checkedFlags(flags: SupervisorFlags, others: readonly string[]): CheckedFlags {
  checkObject('the options of a supervisor', flags);
  checkKeys('a supervisor', flags, [...others, ...NAMES]);
  const { intensity = INTENSITY_DEFAULT, periodMs = PERIOD_MS_DEFAULT, autoShutdown = 'never', backOff } = flags;
  checkNumber('`intensity`', intensity, isIntensity, INTENSITY);
  checkNumber('`periodMs`', periodMs, isPeriod, PERIOD);
  checkAutoShutdown(autoShutdown);
  checkFunction('`random`', flags.random);
  if (backOff !== undefined) checkBackOff(backOff);
  // Without a back-off, a child that cannot start would be started again and again, and nothing else would run.
  if (intensity === Number.POSITIVE_INFINITY && backOff === undefined)
    throw invalid('Expected a `backOff` of the supervisor beside an `intensity` without limit, got none');
  return { intensity, periodMs, autoShutdown, backOff, random: flags.random };
}

/** @param what such as `` `restartLimit` of child "a" `` @throws SUPERVISOR_SPEC_INVALID */
export function checkRestartLimit(what: string, limit: RestartLimit): void {
  checkObject(what, limit);
  checkKeys(what, limit, LIMIT_NAMES);
  const { intensity, periodMs } = limit;
  // Without an end, such a child would never count against its supervisor.
  checkNumber(`\`intensity\` in ${what}`, intensity, (most) => isIntensity(most) && Number.isFinite(most), INTENSITY);
  checkNumber(`\`periodMs\` in ${what}`, periodMs, isPeriod, PERIOD);
}

/** @throws SUPERVISOR_SPEC_INVALID */
export function checkAutoShutdown(autoShutdown: AutoShutdown): void {
  checkOneOf('`autoShutdown`', autoShutdown, AUTO_SHUTDOWNS);
}

function isIntensity(intensity: number): boolean {
  return intensity >= 0 && (Number.isInteger(intensity) || intensity === Number.POSITIVE_INFINITY);
}

/** As in OTP it has an end: restarts that are never forgotten would end each supervisor that lives long enough. */
function isPeriod(periodMs: number): boolean {
  return periodMs > 0 && Number.isFinite(periodMs);
}
