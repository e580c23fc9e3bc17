import { isOperationName, OPERATION_CHARS_MAX, OPERATION_NAME_FORM, OPERATIONS_MAX } from '../operation-name.ts';
import type { Description, Told } from './describe.ts';
import { invalid, literally, type Place, placeOf, SHAPE, withoutDefault } from './fault.ts';

/** What a service is, as its exports say. */
export interface ServiceFacts {
  /** The default one first. */
  readonly operations: readonly string[];
  readonly idempotent: boolean;
  /** Whether a request finds what the one before it has left in variables. */
  readonly state: (typeof STATES)[number];
  readonly payload: (typeof PAYLOADS)[number];
}

export const STATES = ['fresh', 'kept'] as const;
export const PAYLOADS = ['text', 'bytes'] as const;

/**
 * Reads what a service exports.
 * @param notes gets a line for each export that means nothing, and was perhaps meant to
 * @throws SERVICE_INVALID naming file, line, value and remedy
 */
export function checkExports(
  file: string,
  { exported, operations, others }: Description,
  notes: string[],
): ServiceFacts {
  if (exported === undefined) throw withoutDefault(file);
  const atDefault = placeOf(file, /^[ \t]*export\s+default\b/m);
  if (exported.type !== 'object') {
    throw invalid(
      atDefault,
      `its default export is ${withArticle(exported)}, and must be an object of functions. Write ${SHAPE}`,
    );
  }
  if (operations.length === 0) {
    throw invalid(atDefault, `its default export has no operation. Write at least one, as in ${SHAPE}`);
  }
  if (operations.length > OPERATIONS_MAX) {
    throw invalid(atDefault, `it has ${operations.length} operations, and at most ${OPERATIONS_MAX} are possible`);
  }
  for (const [name, value] of operations) checkOperation(file, name, value);
  const facts: ServiceFacts = {
    operations: operations.map(([name]) => name),
    idempotent: flag(file, others.get('idempotent')),
    state: choice(file, 'state', STATES, others.get('state')),
    payload: choice(file, 'payload', PAYLOADS, others.get('payload')),
  };
  for (const [name, { type, shown }] of others) {
    // A function may be there for a test of the service's own. A lone value was meant for somebody.
    if (shown === '' || OPTIONS.includes(name)) continue;
    const place = placeOfExport(file, name);
    const line = place.line === undefined ? '' : `:${place.line}`;
    notes.push(
      `${file}${line}: the export \`${name}\` (${type} ${shown}) means nothing to Shoal, which knows ${KNOWN}`,
    );
  }
  return facts;
}

/** The nearest name that an operation may have: `shout_loud` for `shoutLoud`. */
function possibleName(name: string): string {
  const words = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
  return words.replace(/[^a-z0-9._-]+/g, '_').slice(0, OPERATION_CHARS_MAX) || 'upper';
}

const OPTIONS: readonly string[] = ['idempotent', 'state', 'payload'];
const KNOWN = '`idempotent`, `state` and `payload`';

function checkOperation(file: string, name: string, value: Told): void {
  const place = () => placeOf(file, new RegExp(`(?<![\\w$])${literally(name)}['"\`]?\\s*[:(,}]`));
  if (!isOperationName(name)) {
    throw invalid(
      place(),
      `an operation is named ${JSON.stringify(name.slice(0, 100))}, and a name is ${OPERATION_NAME_FORM}. Rename it, such as to "${possibleName(name)}"`,
    );
  }
  if (value.type === 'function') return;
  throw invalid(
    place(),
    `the operation ${JSON.stringify(name)} is ${withArticle(value)}, and must be a function of the text`,
  );
}

function flag(file: string, value: Told | undefined): boolean {
  if (value === undefined) return false;
  if (value.type === 'boolean') return value.shown === 'true';
  throw wrongOption(file, 'idempotent', 'true or false', value);
}

function choice<const T extends string>(
  file: string,
  name: string,
  allowed: readonly [T, ...T[]],
  value: Told | undefined,
): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((one) => JSON.stringify(one) === value.shown);
  if (found !== undefined) return found;
  throw wrongOption(file, name, allowed.map((one) => `'${one}'`).join(' or '), value);
}

function wrongOption(file: string, name: string, allowed: string, value: Told): Error {
  const got = value.shown === '' ? withArticle(value) : value.shown;
  return invalid(placeOfExport(file, name), `it exports \`${name}\` as ${got}, and may say ${allowed}`);
}

function placeOfExport(file: string, name: string): Place {
  return placeOf(
    file,
    new RegExp(`\\bexport\\s+(?:const|let|var)\\s+${literally(name)}\\b|\\bexport\\s*\\{[^}]*\\b${literally(name)}\\b`),
  );
}

function withArticle({ type, shown }: Told): string {
  if (type === 'undefined' || type === 'null') return type;
  const named = `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
  return shown === '' ? named : `the ${type} ${shown}`;
}
