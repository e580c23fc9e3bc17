import { builtinModules } from 'node:module';
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import type { ShoalError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { invalid, literally, placeOf } from './fault.ts';

/** What a service imports under this name is Shoal's own, wherever the service stands. */
const AUTHORS_MODULE = 'shoal/service';
const BUILTINS: ReadonlySet<string> = new Set(builtinModules);
/** What npm could install; not `#name`, nor an address. */
const PACKAGE_NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;
const NOT_THERE = 'a service runs without Node, files and network';
const ADDRESS = /^https?:/;

export interface ImportListeners {
  /** Told of each file, before it is read, and of each that is not there. */
  readonly onInput: (file: string) => void;
  readonly onFault: (fault: ShoalError) => void;
}

/** Finds the modules of a service, and refuses those that cannot be in its script. */
export function imports(entry: string, { onInput, onFault }: ImportListeners): Plugin {
  const refuse = (fault: ShoalError): never => {
    onFault(fault);
    // What a hook throws is given a code and a name of rolldown's.
    throw new Error(fault.message);
  };
  return {
    name: 'shoal-service',
    resolveId: {
      order: 'pre',
      async handler(source, importer, { kind }) {
        if (importer === undefined) return undefined;
        if (source === AUTHORS_MODULE) return authorsModule();
        const place = () => placeOf(importer, new RegExp(`(['"\`])${literally(source)}\\1`));
        if (source.startsWith('node:')) return refuse(builtin(place(), source));
        const found = await this.resolve(source, importer, { kind, skipSelf: true });
        // A package may have the name of a module of Node, such as `events`. What has an address is found, and elsewhere.
        if (found !== null && !found.external) {
          if (isAbsolute(found.id)) onInput(found.id);
          return found;
        }
        if (isPath(source)) onInput(resolve(dirname(importer), source));
        if (BUILTINS.has(source)) return refuse(builtin(place(), source));
        return refuse(invalid(place(), missing(source)));
      },
    },
    transform: {
      // Whatever cannot be one is not read twice.
      filter: { code: /\bimport\s*(?:\/[/*]|\()/ },
      handler(code, id) {
        const at = openImport(code, id);
        if (at === undefined) return;
        const line = code.slice(0, at).split('\n').length;
        const file = id === entry ? entry : id;
        const remedy = `there is nothing to load from while it runs. Name the module in quotes, so that it becomes part of the script`;
        refuse(invalid({ file, line }, `it imports a module whose name is computed (\`import(...)\`), and ${remedy}`));
      },
    },
  };
}

function builtin(place: { readonly file: string }, name: string): ShoalError {
  const remedy = 'Compute the reply from the text, or use a package that is plain JavaScript';
  return invalid(place, `it imports ${JSON.stringify(name)}, and ${NOT_THERE}. ${remedy}`);
}

function missing(source: string): string {
  if (ADDRESS.test(source)) {
    const remedy = 'Put the module beside the service, or install it as a package';
    return `it imports ${JSON.stringify(source)}, and ${NOT_THERE}. ${remedy}`;
  }
  const isFile = isPath(source);
  const name = packageOf(source);
  const install = PACKAGE_NAME.test(name)
    ? `Install it (\`npm install ${name}\`), or check the name`
    : 'Check the name';
  const remedy = isFile ? 'Check the path' : install;
  return `it imports ${JSON.stringify(source)}, and there is no such ${isFile ? 'file' : 'package'}. ${remedy}`;
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
