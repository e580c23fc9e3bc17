import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import type { ShoalError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { invalid, literally, placeOf, placeText } from './fault.ts';
import { tooDeepAt } from './nesting.ts';

/** What a service imports under this name is Shoal's own, wherever the service stands. */
const AUTHORS_MODULE = 'shoal/service';
const BUILTINS: ReadonlySet<string> = new Set(builtinModules);
/** What npm could install; not `#name`, nor an address. */
const PACKAGE_NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;
const NOT_THERE = 'a service runs without Node, files and network';
const ADDRESS = /^https?:/;
/** Files that can be part of a script; one without an ending is JavaScript. */
const LOADED = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json', '.txt', ''];
/** Begins the address of a module that is not there. */
const ABSENT = '\0absent:';
const PACKAGES = '/node_modules/';
const PARSED_PARTS_MAX = 2_000;

export interface ImportListeners {
  /** Told of each file, before it is read, and of each that is not there. */
  readonly onInput: (file: string) => void;
  readonly onFault: (fault: ShoalError) => void;
  /** Told what the author should know of an import that may fail while the service runs. */
  readonly onNote: (note: string) => void;
}

/** Finds the modules of a service, and refuses those that cannot be in its script. */
export function imports(entry: string, { onInput, onFault, onNote }: ImportListeners): Plugin {
  const refuse = (fault: ShoalError): never => {
    onFault(fault);
    // What a hook throws is given a code and a name of rolldown's.
    throw new Error(fault.message);
  };
  /** What an absent module throws, by its address. */
  const absent = new Map<string, string>();
  return {
    name: 'shoal-service',
    resolveId: {
      order: 'pre',
      async handler(source, importer, { kind }) {
        if (importer === undefined) return undefined;
        if (source === AUTHORS_MODULE) return authorsModule();
        const place = () => placeOf(importer, new RegExp(`(['"\`])${literally(source)}\\1`));
        const found = source.startsWith('node:')
          ? null
          : await this.resolve(source, importer, { kind, skipSelf: true });
        // A package may have the name of a module of Node, such as `events`. What has an address is found, and elsewhere.
        if (found !== null && !found.external) {
          if (!isAbsolute(found.id)) return found;
          onInput(found.id);
          if (LOADED.includes(extname(found.id))) return found;
          return refuse(invalid(place(), `it imports ${JSON.stringify(source)}, and ${UNLOADED}`));
        }
        if (isPath(source)) onInput(resolve(dirname(importer), source));
        const why = whyAbsent(source, importer);
        if (!mayFail(kind, importer))
          return refuse(invalid(place(), `it imports ${JSON.stringify(source)}, and ${why}`));
        const address = `${ABSENT}${source}`;
        if (!absent.has(address))
          onNote(`${placeText(place())}: ${JSON.stringify(source)} is not there, and what asks for it throws: ${why}`);
        absent.set(address, `Cannot find module '${source}': ${why}`);
        return address;
      },
    },
    load(id) {
      const message = absent.get(id);
      if (message === undefined) return undefined;
      const code = `throw Object.assign(new Error(${JSON.stringify(message)}), { code: 'MODULE_NOT_FOUND' });`;
      // The place that counts is where it is asked for.
      return { code: `${code}\nmodule.exports = {};`, map: { mappings: '' } };
    },
    transform: {
      // Whatever cannot be one is not read twice.
      filter: { code: /\bimport\s*(?:\/[/*]|\()/ },
      handler(code, id) {
        // A package may have a way for Node that never comes to it; the engine refuses there what it cannot load.
        const at = id.includes(PACKAGES) ? undefined : openImport(code, id);
        if (at === undefined) return;
        const line = code.slice(0, at).split('\n').length;
        const file = id === entry ? entry : id;
        const remedy = `there is nothing to load from while it runs. Name the module in quotes, so that it becomes part of the script`;
        refuse(invalid({ file, line }, `it imports a module whose name is computed (\`import(...)\`), and ${remedy}`));
      },
    },
  };
}

/**
 * Whether a module is asked for by a part of the program that may never run, or that goes on without it: packages try whether they have Node
 * around them, as in `try { require('fs') } catch {}`. An import of the author's own would only fail later.
 */
function mayFail(kind: string, importer: string): boolean {
  return kind === 'require-call' || (kind === 'dynamic-import' && importer.includes(PACKAGES));
}

const UNLOADED = `only TypeScript, JavaScript, .json and .txt can be part of a script. Leave it out, or write its content into one of these`;

/** Why a module is not there, and the remedy. */
function whyAbsent(source: string, importer: string): string {
  const isBuiltin = source.startsWith('node:') || BUILTINS.has(source);
  if (isBuiltin) return `${NOT_THERE}. Compute the reply from the text, or use a package that is plain JavaScript`;
  if (ADDRESS.test(source)) return `${NOT_THERE}. Put the module beside the service, or install it as a package`;
  if (isPath(source)) return 'there is no such file. Check the path';
  const name = packageOf(source);
  if (name !== source && isInstalled(name, dirname(importer)))
    return `the package ${JSON.stringify(name)} has no such file, or does not export it. Check the path`;
  const install = PACKAGE_NAME.test(name)
    ? `Install it (\`npm install ${name}\`), or check the name`
    : 'Check the name';
  return `there is no such package. ${install}`;
}

function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true;
  return dirname(folder) !== folder && isInstalled(name, dirname(folder));
}

function isPath(source: string): boolean {
  return source.startsWith('.') || source.startsWith('/');
}

function packageOf(source: string): string {
  return source
    .split('/')
    .slice(0, source.startsWith('@') ? 2 : 1)
    .join('/');
}

/** In the sources and in the published package, whose files end differently. */
function authorsModule(): string {
  return fileURLToPath(new URL(`../service/mod${extname(import.meta.url)}`, import.meta.url));
}

/** Where a module is imported by a computed name; undefined if none is, or the code cannot be read, which is told elsewhere. */
function openImport(code: string, id: string): number | undefined {
  // The parser runs on the stack of this thread, which is small: the engine refuses such an import too, later.
  if (tooDeepAt(code, PARSED_PARTS_MAX) !== undefined) return undefined;
  try {
    return openImportIn(parseAst(code, { lang: /\.[mc]?ts$/.test(id) ? 'ts' : 'js' }));
  } catch {
    return undefined;
  }
}

function openImportIn(tree: unknown): number | undefined {
  const open: unknown[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) open.push(...node.filter((one) => typeof one === 'object' && one !== null));
    if (!isRecord(node)) continue;
    const { type, source, start } = node;
    if (type === 'ImportExpression' && !isText(source)) return typeof start === 'number' ? start : 0;
    open.push(...Object.values(node).filter((one) => typeof one === 'object' && one !== null));
  }
  return undefined;
}

function isText(source: unknown): boolean {
  return isRecord(source) && source['type'] === 'Literal' && typeof source['value'] === 'string';
}
