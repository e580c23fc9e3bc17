import { isRecord } from '../../is-record.ts';

/** Takes the value of a field, or refuses it. @param place its name in the file, such as `console.format` */
export type Reader<T> = (value: unknown, place: string) => T;

/** Why a field is refused. */
export class FieldFault extends Error {
  readonly place: string;
  readonly value: unknown;

  /** @param expected as in "Expected X to be ..." @param remedy a sentence of its own; absent if `expected` says it all */
  constructor(place: string, expected: string, value: unknown, remedy?: string) {
    super(`Expected \`${place}\` to be ${expected}, got ${shown(value)}${remedy === undefined ? '' : `. ${remedy}`}`);
    this.place = place;
    this.value = value;
  }
}

export function oneOf<const T extends string>(names: readonly T[]): Reader<T> {
  return (value, place) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new FieldFault(place, names.map((name) => JSON.stringify(name)).join(', '), value);
    return found;
  };
}

export function whole(min: number, max: number): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new FieldFault(place, `a whole number from ${min} to ${max}`, value);
  };
}

export function boolean(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new FieldFault(place, 'true or false', value);
}

/** @param what as in "Expected X to be ..." */
export function text(pattern: RegExp, what: string): Reader<string> {
  return (value, place) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw new FieldFault(place, what, value);
  };
}

/** Some of these names, each once, in the order in which they stand there. */
export function someOf<const T extends string>(names: readonly T[]): Reader<readonly T[]> {
  const one = oneOf(names);
  return (value, place) => {
    const expected = `a list of one or more of ${names.join(', ')}`;
    if (!Array.isArray(value) || value.length === 0) throw new FieldFault(place, expected, value);
    const read = value.slice(0, names.length + 1).map((entry: unknown, at) => one(entry, `${place}[${at}]`));
    if (new Set(read).size < value.length) throw new FieldFault(place, `${expected}, each once`, value);
    return read;
  };
}

/** The fields of an object, none of them unknown. */
export class Fields {
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #place: string;

  /** @param place of the object; empty for the whole file @param names what the object may have */
  constructor(value: unknown, place: string, names: readonly string[]) {
    if (!isRecord(value)) throw new FieldFault(place === '' ? 'the profile' : place, 'an object', value);
    this.#record = value;
    this.#place = place;
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown === undefined) return;
    const field = this.#placeOf(unknown);
    throw new FieldFault(field, 'left out', value[unknown], `There is no such field; there are ${names.join(', ')}`);
  }

  /** The default stands for a field that is left out. */
  read<T>(name: string, reader: Reader<T>, standard: T): T {
    return this.optional(name, reader) ?? standard;
  }

  optional<T>(name: string, reader: Reader<T>): T | undefined {
    return Object.hasOwn(this.#record, name) ? this.required(name, reader) : undefined;
  }

  required<T>(name: string, reader: Reader<T>): T {
    return reader(Object.hasOwn(this.#record, name) ? this.#record[name] : undefined, this.#placeOf(name));
  }

  #placeOf(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`;
  }
}

const SHOWN_CHARS_MAX = 100;

/** A value in an error: `"x" (string)`, `7 (number)`, `nothing`. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const json = JSON.stringify(value) ?? String(value);
  const cut = json.length > SHOWN_CHARS_MAX ? `${json.slice(0, SHOWN_CHARS_MAX)}...` : json;
  return `\`${cut}\` (${value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value})`;
}
