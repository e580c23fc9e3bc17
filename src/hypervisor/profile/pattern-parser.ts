/** A part of a pattern. */
export type PatternNode =
  | { readonly kind: 'take'; readonly takes: (code: number) => boolean }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'group'; readonly index: number; readonly part: PatternNode };

export class PatternFault extends Error {}

type Takes = (code: number) => boolean;

const REPEATS_MAX = 100;
const DEPTH_MAX = 20;

const digit: Takes = (code) => code >= 0x30 && code <= 0x39;
const word: Takes = (code) =>
  digit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const space: Takes = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;
const not =
  (takes: Takes): Takes =>
  (code) =>
    !takes(code);
const CLASSES: Readonly<Record<string, Takes>> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
};

/** @param names the groups that the pattern may name @throws PatternFault */
export function parsePattern(
  pattern: string,
  names: readonly string[],
): { readonly node: PatternNode; readonly groups: readonly string[] } {
  const parser = new Parser(pattern, names);
  return { node: parser.whole(), groups: parser.groups };
}

class Parser {
  readonly groups: string[] = [];
  readonly #pattern: string;
  readonly #names: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string, names: readonly string[]) {
    this.#pattern = pattern;
    this.#names = names;
  }

  whole(): PatternNode {
    const node = this.#either();
    if (this.#at < this.#pattern.length) throw this.#fault('a ")" closes nothing');
    return node;
  }

  #either(): PatternNode {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw this.#fault(`groups are nested more than ${DEPTH_MAX} deep`);
    const parts = [this.#sequence()];
    while (this.#skip('|')) parts.push(this.#sequence());
    this.#depth -= 1;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'either', parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#pattern.length && !this.#sees('|') && !this.#sees(')')) parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): PatternNode {
    const part = this.#one();
    const bounds = this.#bounds();
    if (bounds === undefined) return part;
    if (part.kind === 'begin' || part.kind === 'end') throw this.#fault('"^" and "$" cannot be repeated');
    const [min, max] = bounds;
    const node: PatternNode = { kind: 'repeat', part, min, max, lazy: this.#skip('?') };
    if (this.#bounds() !== undefined) throw this.#fault('a repetition is repeated; put the part into a group');
    return node;
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#skip('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#skip('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#skip('?')) return [0, 1];
    if (!this.#sees('{')) return undefined;
    const [text, least = '', comma, most = ''] =
      /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (text === undefined) throw this.#fault('"{" begins no repetition such as {2,5}; write "\\{" for the character');
    const min = Number(least);
    const max = comma === '' ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most);
    if (min > max || min > REPEATS_MAX || (max > REPEATS_MAX && max !== Number.POSITIVE_INFINITY))
      throw this.#fault(`a repetition has at most ${REPEATS_MAX} times, the lower number first`);
    this.#at += text.length;
    return [min, max];
  }

  #one(): PatternNode {
    const character = this.#next();
    switch (character) {
      case '^':
        return { kind: 'begin' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'take', takes: () => true };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'take', takes: this.#set() };
      case '\\':
        return { kind: 'take', takes: this.#escaped() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#fault(`there is nothing to repeat before "${character}"`);
      default:
        return { kind: 'take', takes: one(character) };
    }
  }

  #group(): PatternNode {
    let index: number | undefined;
    if (this.#skip('?')) {
      const [text, name] = /^(?::|<([a-z]+)>)/.exec(this.#pattern.slice(this.#at)) ?? [];
      if (text === undefined) throw this.#fault('a group begins with "(", "(?:" or "(?<name>"');
      this.#at += text.length;
      if (name !== undefined) index = this.#indexOf(name);
    }
    const part = this.#either();
    if (!this.#skip(')')) throw this.#fault('a "(" is not closed');
    return index === undefined ? part : { kind: 'group', index, part };
  }

  #indexOf(name: string): number {
    if (!this.#names.includes(name))
      throw this.#fault(`there is no field "${name}"; a group names one of ${this.#names.join(', ')}`);
    if (this.groups.includes(name)) throw this.#fault(`the group "${name}" stands there twice`);
    return this.groups.push(name) - 1;
  }

  #set(): Takes {
    const isNegated = this.#skip('^');
    const members: Takes[] = [];
    while (!this.#skip(']')) {
      const from = this.#member();
      if (typeof from !== 'string' || !this.#pattern.startsWith('-', this.#at) || this.#pattern[this.#at + 1] === ']') {
        members.push(typeof from === 'string' ? one(from) : from);
        continue;
      }
      this.#at += 1;
      const to = this.#member();
      if (typeof to !== 'string' || to < from)
        throw this.#fault('a range in "[...]" has no end, or ends before it begins');
      const [least, most] = [from.charCodeAt(0), to.charCodeAt(0)];
      members.push((code) => code >= least && code <= most);
    }
    const inside: Takes = (code) => members.some((takes) => takes(code));
    return isNegated ? not(inside) : inside;
  }

  #member(): string | Takes {
    const character = this.#next();
    if (character !== '\\') return character;
    const escaped = this.#next();
    return CLASSES[escaped] ?? this.#literal(escaped);
  }

  #escaped(): Takes {
    const character = this.#next();
    return CLASSES[character] ?? one(this.#literal(character));
  }

  #literal(escaped: string): string {
    if (escaped === 't') return '\t';
    if (/[A-Za-z0-9]/.test(escaped))
      throw this.#fault(
        `"\\${escaped}" is not supported; there are \\d \\D \\w \\W \\s \\S \\t and escaped punctuation`,
      );
    return escaped;
  }

  #next(): string {
    const character = this.#pattern[this.#at];
    if (character === undefined) throw this.#fault('it ends too early');
    this.#at += 1;
    return character;
  }

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #skip(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #fault(why: string): PatternFault {
    return new PatternFault(`At character ${this.#at}: ${why}`);
  }
}

function one(character: string): Takes {
  const only = character.charCodeAt(0);
  return (code) => code === only;
}
