import { checkSpawnOptions, SPAWN_NAMES, shown } from '../actors/mod.ts';
import { messageOf, ShoalError } from '../errors.ts';
import { checkBackOff } from './back-off.ts';
import { CHILD_NAMES, type ChildSpec, type Restart, type Shutdown } from './child-spec.ts';
import { type AutoShutdown, checkAutoShutdown, checkRestartLimit } from './flags.ts';
import { checkFunction, checkKeys, checkObject, checkOneOf, invalid } from './spec-checks.ts';

const RESTARTS: readonly Restart[] = ['permanent', 'transient', 'temporary'];
const TYPES: readonly ChildSpec['type'][] = ['worker', 'supervisor'];
/** The record has all names, or it does not compile. */
const NAMES = Object.keys({
  id: true,
  start: true,
  messages: true,
  restart: true,
  shutdown: true,
  type: true,
  significant: true,
  backOff: true,
  restartLimit: true,
  onError: true,
  onRef: true,
  options: true,
} satisfies Record<keyof ChildSpec, true>);

/**
 * Checks whether a supervisor would take these specs, before any child is started. Types are checked too, because
 * programs in JavaScript pass anything.
 * @param autoShutdown that of the supervisor; undefined: any
 * @throws SUPERVISOR_SPEC_INVALID
 */
export function checkChildSpecs(specs: readonly ChildSpec[], autoShutdown?: AutoShutdown): void {
  if (!Array.isArray(specs)) throw invalid(`Expected \`children\` to be a list of specs, got ${shown(specs)}`);
  if (autoShutdown !== undefined) checkAutoShutdown(autoShutdown);
  const ids = new Set<string>();
  // By index, because a hole in a list is no spec either.
  for (let index = 0; index < specs.length; index++) {
    // What it is, is checked first of all.
    const spec = specs[index] as ChildSpec;
    checkObject('the spec of a child, as `child` makes it,', spec);
    checkId(spec.id);
    if (ids.has(spec.id)) throw invalid(`Expected each child to have an id of its own, got "${spec.id}" twice`);
    ids.add(spec.id);
    checkChild(spec, autoShutdown);
  }
}

function checkChild(spec: ChildSpec, autoShutdown: AutoShutdown | undefined): void {
  const { id, restart, shutdown, significant, backOff, restartLimit } = spec;
  const of = `of child "${id}"`;
  checkKeys(`the spec ${of}`, spec, NAMES);
  if (typeof spec.start !== 'function')
    throw invalid(`Expected \`start\` ${of} to be a behaviour, which is a function, got ${shown(spec.start)}`);
  checkOneOf(`\`restart\` ${of}`, restart, RESTARTS);
  checkOneOf(`\`type\` ${of}`, spec.type, TYPES);
  if (!isShutdown(shutdown)) {
    const words = 'milliseconds from 0 up, brutal or infinite';
    throw invalid(`Expected \`shutdown\` ${of} to be ${words}, got ${shown(shutdown)}`);
  }
  if (typeof significant !== 'boolean')
    throw invalid(`Expected \`significant\` ${of} to be true or false, got ${shown(significant)}`);
  if (significant && restart === 'permanent')
    throw invalid(`Expected \`restart\` ${of}, which is significant, to be transient or temporary, got permanent`);
  if (significant && autoShutdown === 'never') {
    const remedy = 'Give the supervisor an `autoShutdown`, or let no child be significant.';
    throw invalid(`Child "${id}" is significant, but the \`autoShutdown\` of its supervisor is \`never\`. ${remedy}`);
  }
  checkFunction(`\`onError\` ${of}`, spec.onError);
  checkFunction(`\`onRef\` ${of}`, spec.onRef);
  if (backOff !== undefined) checkBackOff(backOff);
  if (restartLimit !== undefined) checkRestartLimit(`\`restartLimit\` ${of}`, restartLimit);
  checkOptions(of, spec.options);
}

/** The id is the name of the child in its path. */
function checkId(id: unknown): void {
  if (typeof id === 'string' && id !== '' && !id.includes('/')) return;
  throw invalid(
    `Expected the id of a child to be a text with at least one character and without "/", got ${shown(id)}`,
  );
}

function isShutdown(shutdown: Shutdown): boolean {
  return typeof shutdown === 'number' ? shutdown >= 0 : shutdown === 'brutal' || shutdown === 'infinite';
}

function checkOptions(of: string, options: ChildSpec['options']): void {
  checkObject(`\`options\` ${of}`, options);
  // `child` has put there whatever it does not know: the remedy may be any of its own options.
  if (!Object.keys(options).every((key) => SPAWN_NAMES.includes(key))) {
    checkKeys(`the options ${of}`, options, CHILD_NAMES);
  }
  try {
    checkSpawnOptions(options);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ShoalError('SUPERVISOR_SPEC_INVALID', `The options ${of} are refused: ${why}`, { cause });
  }
}
