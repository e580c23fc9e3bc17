import { isRecord } from '../../is-record.ts';
import { type LinePattern, parseLinePattern } from '../profile/line-pattern.ts';
import { CONSOLE_FIELDS, type ConsoleField, type ConsoleProfile } from '../profile/profile.ts';
import type { ConsoleEvent } from './console-event.ts';
import { refused } from './contract-line.ts';

/** What a guest was told, and stands for what its lines leave out. */
export interface ForeignTerms {
  readonly bind: string;
  readonly addr: string;
  readonly textBytesMax: number;
  readonly ramBytesMax: number;
  /** Milliseconds since the epoch: reports without a number of their own are numbered by it. */
  readonly now: () => number;
}

type Kind = 'ready' | 'status' | 'bye';
type Get = (field: ConsoleField) => string | undefined;

const KINDS: readonly unknown[] = ['ready', 'status', 'bye'] satisfies Kind[];
const NUMBER = /^\d{1,16}(?:\.\d{1,9})?$/;
const TOKEN_CHARS_MAX = 200;

/** Reads the lines of a guest that does not speak as the guest contract says, but tells the same. */
export class ForeignLines {
  readonly #kindOf: (line: string) => { readonly kind: Kind; readonly get: Get } | undefined;
  readonly #terms: ForeignTerms;
  readonly #patterns: readonly LinePattern[];
  #lastSeq = 0;

  constructor(profile: Exclude<ConsoleProfile, { format: 'shoal' | 'none' }>, terms: ForeignTerms) {
    this.#terms = terms;
    if (profile.format === 'regex') {
      const patterns = patternsOf(profile);
      this.#patterns = patterns.map(({ pattern }) => pattern);
      this.#kindOf = (line) => matched(patterns, line);
    } else {
      this.#patterns = [];
      const fieldsOf = profile.format === 'json' ? jsonFields : pairs;
      const { kind, names } = profile;
      this.#kindOf = (line) => named(fieldsOf(line), kind, names);
    }
  }

  /** The work on all lines so far, in steps of a pattern. */
  get steps(): number {
    return this.#patterns.reduce((sum, pattern) => sum + pattern.steps, 0);
  }

  /** @returns undefined for a line of the guest's log */
  read(line: string): ConsoleEvent | undefined {
    const found = this.#kindOf(line);
    if (found === undefined) return undefined;
    const { kind, get } = found;
    if (kind === 'bye') return { kind, reason: (get('reason') ?? 'stop').slice(0, TOKEN_CHARS_MAX) };
    return kind === 'ready' ? this.#ready(line, get) : this.#status(line, get);
  }

  #ready(line: string, get: Get): ConsoleEvent {
    const { bind, addr, textBytesMax } = this.#terms;
    const max = numberIn(get('max'), textBytesMax);
    if (max === undefined) return refused(line, '`max` is not a number');
    const guest = { textBytesMax: max, idempotent: false, operations: [] };
    return { kind: 'ready', bind: get('bind') ?? bind, addr: get('addr') ?? addr, guest };
  }

  #status(line: string, get: Get): ConsoleEvent {
    const cpuPercent = numberIn(get('cpu'), undefined);
    if (cpuPercent === undefined || cpuPercent > 100) return refused(line, '`cpu` is not a share from 0 to 100');
    const seq = numberIn(get('seq'), this.#nextSeq());
    const ramBytes = numberIn(get('ram'), 0);
    const inFlight = numberIn(get('inflight'), 0);
    const served = numberIn(get('served'), 0);
    if (seq === undefined || ramBytes === undefined || inFlight === undefined || served === undefined)
      return refused(line, '`seq`, `ram`, `inflight` or `served` is not a number');
    if (ramBytes > this.#terms.ramBytesMax) return refused(line, '`ram` is more than the VM has');
    const [wholeSeq, ram, flying, done] = [seq, ramBytes, inFlight, served].map(Math.floor);
    return {
      kind: 'status',
      report: { seq: wholeSeq ?? 0, cpuPercent, ramBytes: ram ?? 0, inFlight: flying ?? 0, served: done ?? 0 },
    };
  }

  /** Above all earlier ones, also of a parser before this one. */
  #nextSeq(): number {
    this.#lastSeq = Math.max(this.#lastSeq + 1, this.#terms.now());
    return this.#lastSeq;
  }
}

interface NamedPattern {
  readonly kind: Kind;
  readonly pattern: LinePattern;
}

function patternsOf({ ready, status, bye }: Extract<ConsoleProfile, { format: 'regex' }>): readonly NamedPattern[] {
  const texts: readonly (readonly [Kind, string | undefined])[] = [
    ['status', status],
    ['ready', ready],
    ['bye', bye],
  ];
  return texts.flatMap(([kind, text]) => {
    const pattern = text === undefined ? undefined : parseLinePattern(text, CONSOLE_FIELDS);
    if (typeof pattern === 'string') throw new Error(`The pattern of \`${kind}\` cannot be used: ${pattern}`);
    return pattern === undefined ? [] : [{ kind, pattern }];
  });
}

function matched(patterns: readonly NamedPattern[], line: string): { kind: Kind; get: Get } | undefined {
  for (const { kind, pattern } of patterns) {
    const groups = pattern.match(line);
    if (groups !== undefined) return { kind, get: (field) => groups.get(field) };
  }
  return undefined;
}

/** By the guest's names of its fields. */
type Fields = ReadonlyMap<string, string>;

function named(
  fields: Fields | undefined,
  kindName: string,
  names: Readonly<Partial<Record<ConsoleField, string>>>,
): { kind: Kind; get: Get } | undefined {
  const kind = fields?.get(kindName);
  if (!isKind(kind)) return undefined;
  return { kind, get: (field) => fields?.get(names[field] ?? field) };
}

function isKind(text: unknown): text is Kind {
  return KINDS.includes(text);
}

function jsonFields(line: string): Fields | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const simple = Object.entries(value).filter(([, one]) => typeof one === 'string' || typeof one === 'number');
  return new Map(simple.map(([name, one]) => [name, String(one)]));
}

/** Of a name that stands there twice the first counts. */
function pairs(line: string): Fields {
  const fields = new Map<string, string>();
  for (const part of line.split(' ')) {
    const equals = part.indexOf('=');
    if (equals > 0 && !fields.has(part.slice(0, equals))) fields.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return fields;
}

/** Undefined if there is a text that is no number. */
function numberIn(text: string | undefined, standard: number | undefined): number | undefined {
  if (text === undefined) return standard;
  const value = Number(text);
  return NUMBER.test(text) && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
