import { checkSpawnOptions } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { BackOff } from './back-off.ts';
import type { ChildSpec, Restart, Shutdown } from './child-spec.ts';
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

const AUTO_SHUTDOWNS: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant'];
const RESTARTS: readonly Restart[] = ['permanent', 'transient', 'temporary'];
const TYPES = ['worker', 'supervisor'];
const FLAG_NAMES = ['intensity', 'periodMs', 'autoShutdown', 'backOff', 'random'];
const BACK_OFF_NAMES = ['minMs', 'maxMs', 'factor', 'jitter', 'resetMs'];

/** OTP's defaults. */
const INTENSITY_DEFAULT = 1;
const PERIOD_MS_DEFAULT = 5_000;

/** @throws SUPERVISOR_SPEC_INVALID */
export function checkedFlags(flags: SupervisorFlags, others: readonly string[]): CheckedFlags {
  checkKeys('a supervisor', flags, [...FLAG_NAMES, ...others]);
  const { intensity = INTENSITY_DEFAULT, periodMs = PERIOD_MS_DEFAULT, autoShutdown = 'never', backOff } = flags;
  if (!(intensity >= 0 && (Number.isInteger(intensity) || intensity === Number.POSITIVE_INFINITY)))
    throw invalid(`Expected \`intensity\` to be a whole number from 0 up, got ${shown(intensity)}`);
  if (!(periodMs > 0 && Number.isFinite(periodMs)))
    throw invalid(`Expected \`periodMs\` to be a number of milliseconds above 0, got ${shown(periodMs)}`);
  checkOneOf('autoShutdown', autoShutdown, AUTO_SHUTDOWNS);
  checkFunction('random', flags.random);
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
  if (!Array.isArray(specs)) throw invalid(`Expected \`children\` to be a list of specs, got ${shown(specs)}`);
  const ids = new Set<string>();
  for (const spec of specs) {
    if (typeof spec !== 'object' || spec === null || typeof spec.start !== 'function')
      throw invalid(`Expected the spec of a child, made by \`child\`, got ${shown(spec)}`);
    checkId(spec.id);
    if (ids.has(spec.id)) throw invalid(`Expected each child to have an id of its own, got "${spec.id}" twice`);
    ids.add(spec.id);
    checkChild(spec, autoShutdown);
  }
}

type Checked = Pick<
  ChildSpec,
  'id' | 'restart' | 'shutdown' | 'significant' | 'type' | 'backOff' | 'onError' | 'options'
>;

function checkChild(
  { id, restart, shutdown, significant, type, backOff, onError, options }: Checked,
  autoShutdown: AutoShutdown | undefined,
): void {
  checkOneOf(`restart\` of the child \`${id}`, restart, RESTARTS);
  checkOneOf(`type\` of the child \`${id}`, type, TYPES);
  if (typeof significant !== 'boolean')
    throw invalid(`Expected \`significant\` of the child \`${id}\` to be true or false, got ${shown(significant)}`);
  checkFunction(`onError\` of the child \`${id}`, onError);
  try {
    checkSpawnOptions(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ShoalError('SUPERVISOR_SPEC_INVALID', `The spec of the child \`${id}\` is refused. ${why}`, { cause });
  }
  if (significant && restart === 'permanent')
    throw invalid('Expected a significant child to be transient or temporary, got one that is permanent');
  if (significant && autoShutdown === 'never')
    throw invalid('Expected no significant child under a supervisor whose `autoShutdown` is `never`, got one');
  if (!isShutdown(shutdown))
    throw invalid(`Expected \`shutdown\` to be milliseconds from 0 up, brutal or infinite, got ${shown(shutdown)}`);
  if (backOff !== undefined) checkBackOff(backOff);
}

function isShutdown(shutdown: Shutdown): boolean {
  return typeof shutdown === 'number' ? shutdown >= 0 : shutdown === 'brutal' || shutdown === 'infinite';
}

function checkBackOff(backOff: BackOff): void {
  if (typeof backOff !== 'object' || backOff === null)
    throw invalid(`Expected \`backOff\` to be an object, got ${shown(backOff)}`);
  checkKeys('a back-off', backOff, BACK_OFF_NAMES);
  const { minMs, maxMs, factor = 1, jitter = 0, resetMs = 0 } = backOff;
  if (!(minMs > 0)) throw invalid(`Expected \`minMs\` of a back-off to be more than 0, got ${shown(minMs)}`);
  if (!(maxMs >= minMs && Number.isFinite(maxMs)))
    throw invalid(`Expected \`maxMs\` of a back-off to be from \`minMs\` (${minMs}) up, got ${shown(maxMs)}`);
  if (!(factor >= 1)) throw invalid(`Expected \`factor\` of a back-off to be from 1 up, got ${shown(factor)}`);
  if (!(jitter >= 0 && jitter <= 1))
    throw invalid(`Expected \`jitter\` of a back-off to be from 0 to 1, got ${shown(jitter)}`);
  if (!(resetMs >= 0)) throw invalid(`Expected \`resetMs\` of a back-off to be from 0 up, got ${shown(resetMs)}`);
}

/** The id is the name of the child in its path. */
function checkId(id: unknown): void {
  if (typeof id === 'string' && id !== '' && !id.includes('/')) return;
  throw invalid(
    `Expected the id of a child to be a text with at least one character and without "/", got ${shown(id)}`,
  );
}

/** A misspelt name would be passed over in silence. */
function checkKeys(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw invalid(`Expected ${what} to have only ${known.join(', ')}, got \`${unknown}\``);
}

export function checkOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (known.some((one) => one === value)) return;
  throw invalid(`Expected \`${name}\` to be one of ${known.join(', ')}, got ${shown(value)}`);
}

function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw invalid(`Expected \`${name}\` to be a function, got ${shown(value)}`);
}

function shown(value: unknown): string {
  return `\`${String(value)}\` (${value === null ? 'null' : typeof value})`;
}

function invalid(message: string): ShoalError {
  return new ShoalError('SUPERVISOR_SPEC_INVALID', message);
}
