import { ShoalError } from '../errors.ts';
import type { BackOff } from './back-off.ts';
import type { ChildSpec, Shutdown } from './child-spec.ts';
import type { RestartLimit } from './restart-limit.ts';

/** Which ends of significant children also end their supervisor, in order. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/** The options of both kinds of supervisor. */
export interface SupervisorFlags extends Partial<RestartLimit> {
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** Waits before restarts, for children whose spec has none; default: no waits. */
  readonly backOff?: BackOff;
  /** Returns a number from 0 to 1 for the jitter of back-offs; default Math.random. */
  readonly random?: () => number;
}

export interface CheckedFlags extends RestartLimit {
  readonly autoShutdown: AutoShutdown;
  readonly backOff: BackOff | undefined;
  readonly random: () => number;
}

/** OTP's defaults. */
const INTENSITY_DEFAULT = 1;
const PERIOD_MS_DEFAULT = 5_000;

/** @throws SUPERVISOR_SPEC_INVALID */
export function checkedFlags(flags: SupervisorFlags): CheckedFlags {
  const { intensity = INTENSITY_DEFAULT, periodMs = PERIOD_MS_DEFAULT, autoShutdown = 'never', backOff } = flags;
  if (!(intensity >= 0 && (Number.isInteger(intensity) || intensity === Number.POSITIVE_INFINITY)))
    throw invalid(`Expected \`intensity\` to be a whole number from 0 up, got ${shown(intensity)}`);
  if (!(periodMs > 0)) throw invalid(`Expected \`periodMs\` to be more than 0, got ${shown(periodMs)}`);
  if (backOff !== undefined) checkBackOff(backOff);
  // Without a back-off, a child that cannot start would be started again and again, and nothing else would run.
  if (intensity === Number.POSITIVE_INFINITY && backOff === undefined)
    throw invalid('Expected a `backOff` of the supervisor beside an `intensity` without limit, got none');
  return { intensity, periodMs, autoShutdown, backOff, random: flags.random ?? Math.random };
}

/**
 * Checks whether a supervisor would take these specs, before any child is started.
 * @param autoShutdown that of the supervisor; undefined: any
 * @throws SUPERVISOR_SPEC_INVALID
 */
export function checkChildSpecs(specs: readonly ChildSpec[], autoShutdown?: AutoShutdown): void {
  const ids = new Set<string>();
  for (const spec of specs) {
    if (ids.has(spec.id)) throw invalid(`Expected each child to have an id of its own, got "${spec.id}" twice`);
    ids.add(spec.id);
    checkChild(spec, autoShutdown);
  }
}

type Checked = Pick<ChildSpec, 'restart' | 'shutdown' | 'significant' | 'backOff'>;

function checkChild(
  { restart, shutdown, significant, backOff }: Checked,
  autoShutdown: AutoShutdown | undefined,
): void {
  if (significant && restart === 'permanent')
    throw invalid('Expected a significant child to be transient or temporary, got one that is permanent');
  if (significant && autoShutdown === 'never')
    throw invalid('Expected no significant child under a supervisor whose `autoShutdown` is `never`, got one');
  if (!isShutdown(shutdown))
    throw invalid(`Expected \`shutdown\` to be milliseconds from 0 up, brutal or infinite, got ${shown(shutdown)}`);
  if (backOff !== undefined) checkBackOff(backOff);
}

function isShutdown(shutdown: Shutdown): boolean {
  return typeof shutdown === 'number' ? shutdown >= 0 : true;
}

function checkBackOff({ minMs, maxMs, factor = 1, jitter = 0, resetMs = 0 }: BackOff): void {
  if (!(minMs > 0)) throw invalid(`Expected \`minMs\` of a back-off to be more than 0, got ${shown(minMs)}`);
  if (!(maxMs >= minMs && Number.isFinite(maxMs)))
    throw invalid(`Expected \`maxMs\` of a back-off to be from \`minMs\` (${minMs}) up, got ${shown(maxMs)}`);
  if (!(factor >= 1)) throw invalid(`Expected \`factor\` of a back-off to be from 1 up, got ${shown(factor)}`);
  if (!(jitter >= 0 && jitter <= 1))
    throw invalid(`Expected \`jitter\` of a back-off to be from 0 to 1, got ${shown(jitter)}`);
  if (!(resetMs >= 0)) throw invalid(`Expected \`resetMs\` of a back-off to be from 0 up, got ${shown(resetMs)}`);
}

function shown(value: number | string): string {
  return `\`${value}\` (${typeof value})`;
}

function invalid(message: string): ShoalError {
  return new ShoalError('SUPERVISOR_SPEC_INVALID', message);
}
