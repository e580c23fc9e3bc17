import { isRecord } from '../is-record.ts';
import { EXPORTS_NAME } from './bundle.ts';

/** A value of a script, as far as it can be told from outside of the engine. */
export interface Told {
  /** As `typeof`, and `null` and `list`. */
  readonly type: string;
  /** The value, for people and to compare: JSON of a text, number or boolean; empty of others. */
  readonly shown: string;
}

/** What a service exports. */
export interface Description {
  readonly exported: Told | undefined;
  /** The own enumerable properties of the default export, in their order. */
  readonly operations: readonly (readonly [name: string, value: Told])[];
  /** The other exports, by name. */
  readonly others: ReadonlyMap<string, Told>;
}

/** An expression that tells what the script before it has exported, as a text that `descriptionOf` reads. */
export const DESCRIBE = `((service) => {
  const told = (value) => ({
    type: value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value,
    shown: typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? JSON.stringify(value).slice(0, 100) : '',
  });
  const all = Object.keys(service).map((name) => [name, told(service[name])]);
  const main = service.default;
  const operations = typeof main === 'object' && main !== null ? Object.keys(main).map((name) => [name, told(main[name])]) : [];
  return JSON.stringify({ all, operations });
})(${EXPORTS_NAME})`;

/** @returns undefined for a text that is no such description, as of a script that has replaced the engine's own functions */
export function descriptionOf(text: string): Description | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const [all, operations] = [entriesIn(value['all']), entriesIn(value['operations'])];
  if (all === undefined || operations === undefined) return undefined;
  const others = new Map(all);
  const exported = others.get('default');
  others.delete('default');
  return { exported, operations, others };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entriesIn(value: unknown): readonly (readonly [string, Told])[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const entries = value.map((entry: unknown) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !isRecord(entry[1])) return undefined;
    const [name, { type, shown }] = [entry[0], entry[1]];
    return typeof type === 'string' && typeof shown === 'string' ? ([name, { type, shown }] as const) : undefined;
  });
  const good = entries.filter((entry) => entry !== undefined);
  return good.length === entries.length ? good : undefined;
}
