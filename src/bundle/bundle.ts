import { realpath, stat } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { RolldownLog } from 'rolldown';
import { type ShoalError, whyUnreadable } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { invalid, type Place, placeText, withoutDefault } from './fault.ts';
import { nesting } from './nesting.ts';
import { TARGET } from './target.ts';
import { webGlobalsOf } from './web-globals.ts';

/** A service as one script, which leaves its exports in `shoalService`. */
export interface Bundle {
  /** The service's own file. */
  readonly file: string;
  readonly script: string;
  /** What its author should know, a line each. */
  readonly notes: readonly string[];
  /** Where a place of the script stands in the author's files; undefined if it is in none. Line and column count from 1. */
  placeOf(line: number, column: number): Place | undefined;
}

/** What a service in TypeScript or JavaScript may be called. */
export const SCRIPT_EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const;
/** The name under which the script leaves what the service exports. */
export const EXPORTS_NAME = 'shoalService';
/** Of each thread of rolldown, which calls itself for each level of nested code, and takes the process with it where that ends. */
const STACK_BYTES = 256 * 1024 * 1024;

/** Whether a file is a service that needs no compiler. */
export function isScript(file: string): boolean {
  return SCRIPT_EXTENSIONS.some((extension) => extname(file) === extension);
}

/**
 * Makes one script of a service and all that it imports.
 * @param onInput told of each file that it is made of, before that is read, and of each that it would be if it were there
 * @throws SERVICE_INVALID naming file, line, what is wrong and the remedy
 */
export async function bundle(path: string, onInput: (file: string) => void = () => undefined): Promise<Bundle> {
  const file = resolve(path);
  onInput(file);
  await checkScriptFile(file);
  // Behind a link it is the file that changes.
  onInput(await realpath(file));
  // Rust's name for it. Its pages are taken when they are used.
  process.env['RUST_MIN_STACK'] ??= String(STACK_BYTES);
  // It takes most of the time of a short command, and other commands do not need it.
  const [{ rolldown }, { imports }] = await Promise.all([import('rolldown'), import('./imports.ts')]);
  const faults: ShoalError[] = [];
  const notes: string[] = [];
  const onFault = (fault: ShoalError): void => void faults.push(fault);
  const build = await rolldown({
    input: file,
    cwd: dirname(file),
    // Packages have a variant for browsers that does without Node.
    platform: 'browser',
    plugins: [nesting(onFault), imports(file, { onInput, onFault, onNote: (note) => notes.push(note) })],
    transform: { target: TARGET, define: { 'process.env.NODE_ENV': '"production"' } },
    // What leaves out an export that a program reads would leave out the service.
    preserveEntrySignatures: 'strict',
    onLog: (_, log) => void notes.push(...noteOf(file, log)),
  });
  try {
    const { output } = await build.generate({
      // Nothing is written there: paths in the source map are relative to it.
      dir: dirname(file),
      format: 'iife',
      name: EXPORTS_NAME,
      exports: 'named',
      sourcemap: true,
      codeSplitting: false,
      comments: false,
    });
    const [{ code, map, exports }] = output;
    // A file without exports leaves a script without `shoalService`.
    if (!exports.includes('default')) faults.push(withoutDefault(file));
    if (faults[0] !== undefined) throw faults[0];
    const own = code.replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '\n');
    const globals = await webGlobalsOf(own);
    const before = globals.split('\n').length - 1;
    return { file, script: `${globals}${own}`, notes, placeOf: placesOf(file, map, before) };
  } catch (error) {
    throw faults[0] ?? faultOf(file, error);
  } finally {
    await build.close();
  }
}

/** @throws SERVICE_INVALID if it is no file whose name is that of a script */
export async function checkScriptFile(file: string): Promise<void> {
  const found = await stat(file).catch((cause: unknown) => {
    throw invalid({ file }, `it cannot be read: ${whyUnreadable(cause)}. Check the path`, cause);
  });
  if (!found.isFile())
    throw invalid({ file }, 'it is no plain file. Name the file whose default export is the service');
  if (isScript(file)) return;
  const known = SCRIPT_EXTENSIONS.join(', ');
  throw invalid({ file }, `its name ends in ${JSON.stringify(extname(file))}. Name a file that ends in ${known}`);
}

type Map = { readonly mappings: string; readonly sources: readonly string[] } | null;

/** @param linesBefore what stands in the script before the author's own */
function placesOf(file: string, map: Map, linesBefore: number): Bundle['placeOf'] {
  if (map === null) return () => undefined;
  const folder = dirname(file);
  let read: SourceMap | undefined;
  return (line, column) => {
    // Only a service with a fault needs it.
    read ??= new SourceMap({
      ...{ file: '', version: 3, sourceRoot: '', sourcesContent: [], names: [] },
      ...{ sources: [...map.sources], mappings: map.mappings },
    });
    if (line <= linesBefore) return undefined;
    const entry = read.findEntry(line - linesBefore - 1, column - 1);
    if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return undefined;
    // What the bundler has added has no place, and is not what stands before it.
    if (entry.generatedLine !== line - linesBefore - 1) return undefined;
    return {
      file: resolve(folder, entry.originalSource),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  };
}

/** A warning about the author's own files; those about packages are their authors'. */
function noteOf(file: string, log: RolldownLog): string[] {
  const { id, message, code } = log;
  if (id === undefined || id.includes('/node_modules/') || code === undefined) return [];
  const what = code === 'EMPTY_IMPORT_META' ? '`import.meta` is empty in a service' : firstLine(message);
  return [`${placeText(placeIn(file, log))}: ${what}`];
}

/** @param error what rolldown threw */
function faultOf(file: string, error: unknown): ShoalError {
  const [first] = isRecord(error) || error instanceof Error ? errorsIn(error) : [];
  if (first === undefined) {
    const why = error instanceof Error ? firstLine(error.message) : String(error);
    return invalid({ file }, why, error);
  }
  const place = placeIn(file, first);
  if (first.code === 'INVALID_TLA_FORMAT') {
    const remedy = 'Compute it when a request comes, or without await';
    return invalid(place, `it awaits outside of a function, and nothing waits for it while a VM boots. ${remedy}`);
  }
  return invalid(place, firstLine(first.message), error);
}

type Problem = Pick<RolldownLog, 'code' | 'message' | 'loc' | 'id'>;

function errorsIn(error: object): readonly Problem[] {
  const errors: unknown = 'errors' in error ? error.errors : undefined;
  if (!Array.isArray(errors)) return [];
  // The shape is rolldown's own: an aggregate of the logs that it could not go on from.
  return errors.filter((one) => one instanceof Error || isRecord(one)) as Problem[];
}

function placeIn(file: string, { loc, id }: Problem): Place {
  if (loc === undefined) return { file: id ?? file };
  return { file: loc.file ?? id ?? file, line: loc.line, column: loc.column + 1 };
}

/** What rolldown says is coloured, begins with its code, and goes on with a drawing; of what it did not expect it first says where to report it. */
function firstLine(message: string): string {
  const lines = stripVTControlCharacters(message).trim().split('\n');
  const [line = ''] = lines.filter((one) => !one.includes('please report this problem'));
  const what = line.replace(/^\[[A-Z_]+\]\s*/, '').replace(/\.$/, '');
  return what.includes('valid UTF-8') ? `${what}. Save it as UTF-8` : what;
}
