import { type Bundle, bundle } from './bundle.ts';
import { checkExports, type ServiceFacts } from './check-exports.ts';
import { CutOff, ScriptError, STACK_EXHAUSTED } from './engine.ts';
import { invalid, literally, type Place, placeText } from './fault.ts';
import { INSTEAD_OF_NESTING } from './nesting.ts';
import { OUT_OF_MEMORY, Runner, type RunnerOptions, SCRIPT_NAME } from './runner.ts';

/** A service that was found fit. */
export interface Examined extends Bundle {
  readonly facts: ServiceFacts;
  /** The memory of the VM that it needs, if the usual one is too small for what stands outside of its functions. */
  readonly memoryMib: number | undefined;
}

const MIB = 1024 * 1024;
/** What the engine has for a service and its copy in a VM of 32 MiB. */
const ROOM_BYTES = 19.75 * MIB;
/** Larger VMs, for one that needs them: of what a VM has beyond its own needs the engine has seven eighths. */
const LARGER_MIB = [64, 128, 256, 512];
const LARGEST_MIB = 1024;
const OWN_NEEDS_MIB = 10;
const LARGEST_BYTES = 256 * MIB;
/** How long a service may take to set itself up. */
const SET_UP_MS = 5_000;

/**
 * Makes a script of a service, runs it once in the engine of the VMs, and reads what it exports.
 * @param onInput as of `bundle`
 * @throws SERVICE_INVALID naming file, line, value and remedy
 */
export async function examine(path: string, onInput?: (file: string) => void): Promise<Examined> {
  return examined(await bundle(path, onInput)).service;
}

/** As `examine`, with a runner that answers requests. */
export async function openService(
  path: string,
  options: { readonly limitMs: number; readonly onLog: (text: string) => void },
): Promise<{ readonly service: Examined; readonly runner: Runner }> {
  return examined(await bundle(path), options);
}

function examined(
  bundled: Bundle,
  { limitMs = SET_UP_MS, onLog = () => undefined }: { limitMs?: number; onLog?: (text: string) => void } = {},
): { readonly service: Examined; readonly runner: Runner } {
  const { file } = bundled;
  const notes = [...bundled.notes];
  const runner = settingUp(bundled, () =>
    runnerOf(bundled.script, { limitMs, onLog: (text) => onLog(placed(bundled, text)) }),
  );
  const description = settingUp(bundled, () => runner.describe());
  if (description === undefined)
    throw invalid({ file }, 'it replaces functions of the language. Leave JSON and Object as they are');
  const facts = checkExports(file, description, notes);
  const why = settingUp(bundled, () => runner.load(facts));
  if (why !== '')
    throw invalid({ file }, `the guest refuses it (${why}). Write its default export as a plain object of functions`);
  const memoryMib = largerVm(runner.loadedBytes(), file, notes);
  return { service: { ...bundled, facts, notes, memoryMib }, runner };
}

/** @param notes gets a line if a larger VM is needed @returns its memory; undefined for a usual one */
function largerVm(loadedBytes: number, file: string, notes: string[]): number | undefined {
  if (loadedBytes <= ROOM_BYTES) return undefined;
  const enough = LARGER_MIB.find((mib) => (mib - OWN_NEEDS_MIB) * (7 / 8) * MIB > loadedBytes) ?? LARGEST_MIB;
  const [needed, room] = [loadedBytes, ROOM_BYTES].map((bytes) => (bytes / MIB).toFixed(1));
  const why = `what stands outside of its functions takes ${needed} MiB with the copy that each request begins with`;
  notes.push(`${file}: ${why}, and a VM of 32 MiB has ${room} for it. So a VM of it has ${enough} MiB`);
  return enough;
}

/** What does not fit into a usual VM is given a large one, and its author is told how large it has to be. */
function runnerOf(script: string, options: RunnerOptions): Runner {
  try {
    return new Runner(script, options);
  } catch (error) {
    if (!(error instanceof ScriptError) || error.message !== OUT_OF_MEMORY) throw error;
    return new Runner(script, { ...options, memoryBytes: LARGEST_BYTES });
  }
}

/** What a script throws while it sets itself up is its author's to mend. */
function settingUp<T>(bundled: Bundle, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CutOff) {
      const why = `it does not end: ${error.message}. What stands outside of its functions is run while a VM boots, and must be quick`;
      throw invalid({ file: bundled.file }, why, error);
    }
    if (!(error instanceof ScriptError)) throw error;
    throw invalid(placeIn(bundled, error.scriptStack) ?? { file: bundled.file }, whatItThrows(error), error);
  }
}

/** The first line of the stack of a script that was not even begun: a place without a function. */
const UNREAD = new RegExp(`^ *at ${literally(SCRIPT_NAME)}:`);
/** What scripts for browsers take for granted beside what Node has. */
const OF_BROWSERS: readonly string[] = ['window', 'document', 'location', 'XMLHttpRequest'];
/** What a module of Node finds beside the globals. */
const OF_MODULES: readonly string[] = ['require', 'module', 'exports', '__dirname', '__filename'];

/** With the remedy, where it is a fault that can be told from its text. */
function whatItThrows({ message, scriptStack }: ScriptError): string {
  if (message === OUT_OF_MEMORY) {
    const most = `${LARGEST_BYTES / MIB} MiB`;
    return `what stands outside of its functions takes more than ${most} (${message}). Make it when a request comes`;
  }
  if (UNREAD.test(scriptStack)) {
    const remedy =
      'Decorators need `"experimentalDecorators": true` in a tsconfig.json. Write other syntax as ES2023 has it';
    return `it has syntax that the engine does not know (${message}). ${remedy}`;
  }
  const throws = `it throws while it sets itself up: ${message}`;
  if (message.endsWith(STACK_EXHAUSTED))
    return `${throws}, for it nests too deeply, or calls itself without an end. ${INSTEAD_OF_NESTING}`;
  const [, name = ''] = /^ReferenceError: ([\w$]+) is not defined$/.exec(message) ?? [];
  if (!(name in globalThis) && !OF_BROWSERS.includes(name) && !OF_MODULES.includes(name)) return throws;
  const remedy = 'Use a package that does without it, or define it in a module that is imported before';
  return `${throws}, for a service runs without Node and without a browser. ${remedy}`;
}

const PLACES = new RegExp(`${literally(SCRIPT_NAME)}:(\\d+):(\\d+)`, 'g');

/** The first place of a stack that stands in a file of the author's. */
function placeIn({ placeOf }: Bundle, stack: string): Place | undefined {
  for (const [, line, column] of stack.matchAll(PLACES)) {
    const place = placeOf(Number(line), Number(column));
    if (place !== undefined) return place;
  }
  return undefined;
}

/** A text with the places of the author's files instead of those of the script. */
function placed({ placeOf }: Bundle, text: string): string {
  return text.replace(PLACES, (script: string, line: string, column: string) => {
    const place = placeOf(Number(line), Number(column));
    return place === undefined ? script : placeText(place);
  });
}
