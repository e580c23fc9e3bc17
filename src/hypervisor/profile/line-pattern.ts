import { type Instruction, PatternCompiler } from './pattern-compiler.ts';
import { PatternFault, parsePattern } from './pattern-parser.ts';

/** A longer line matches nothing. */
export const MATCHED_CHARS_MAX = 1_024;

type Captures = readonly (number | undefined)[];

interface Threads {
  /** Positions in the program, the preferred first, each with the places where groups begin and end. */
  readonly at: number[];
  readonly captures: Captures[];
  /** Where a position was added last. A loop that takes nothing ends by it. */
  readonly addedAt: Int32Array;
}

/**
 * A pattern for lines of a hostile console: a regular expression without backreferences and assertions, run without
 * going back (as R. Cox, "Regular Expression Matching: the Virtual Machine Approach"). A line costs at most its length
 * times the length of the program, whatever stands in it; JavaScript's own expressions may take exponential time.
 */
export class LinePattern {
  readonly #program: readonly Instruction[];
  readonly #groups: readonly string[];
  /** Instructions that all matches so far have run. */
  steps = 0;

  constructor(program: readonly Instruction[], groups: readonly string[]) {
    this.#program = program;
    this.#groups = groups;
  }

  /** The named groups of the first match anywhere in the line, as JavaScript finds it; undefined if there is none. */
  match(line: string): ReadonlyMap<string, string> | undefined {
    if (line.length > MATCHED_CHARS_MAX) return undefined;
    let now = this.#threads();
    let next = this.#threads();
    let found: Captures | undefined;
    for (let place = 0; place <= line.length; place++) {
      if (found === undefined) this.#add(now, 0, place, line.length, []);
      next.at.length = 0;
      next.captures.length = 0;
      for (const [index, at] of now.at.entries()) {
        const instruction = this.#program[at];
        const captures = now.captures[index] ?? [];
        if (instruction?.op === 'match') {
          found = captures;
          // Threads after this one are less preferred.
          break;
        }
        if (instruction?.op === 'take' && place < line.length && instruction.takes(line.charCodeAt(place)))
          this.#add(next, at + 1, place + 1, line.length, captures);
      }
      if (next.at.length === 0 && found !== undefined) break;
      [now, next] = [next, now];
    }
    return found === undefined ? undefined : this.#named(line, found);
  }

  #threads(): Threads {
    return { at: [], captures: [], addedAt: new Int32Array(this.#program.length).fill(-1) };
  }

  /** Follows everything that takes no character. */
  #add(threads: Threads, at: number, place: number, length: number, captures: Captures): void {
    this.steps += 1;
    if (threads.addedAt[at] === place) return;
    threads.addedAt[at] = place;
    const instruction = this.#program[at];
    switch (instruction?.op) {
      case 'jump':
        this.#add(threads, instruction.to, place, length, captures);
        return;
      case 'split':
        this.#add(threads, instruction.first, place, length, captures);
        this.#add(threads, instruction.second, place, length, captures);
        return;
      case 'save': {
        const saved = [...captures];
        saved[instruction.slot] = place;
        this.#add(threads, at + 1, place, length, saved);
        return;
      }
      case 'begin':
        if (place === 0) this.#add(threads, at + 1, place, length, captures);
        return;
      case 'end':
        if (place === length) this.#add(threads, at + 1, place, length, captures);
        return;
      default:
        threads.at.push(at);
        threads.captures.push(captures);
    }
  }

  #named(line: string, captures: Captures): ReadonlyMap<string, string> {
    const named = new Map<string, string>();
    for (const [index, name] of this.#groups.entries()) {
      const [from, to] = [captures[2 * index], captures[2 * index + 1]];
      if (from !== undefined && to !== undefined) named.set(name, line.slice(from, to));
    }
    return named;
  }
}

/** @param names the groups that a pattern may name @returns why it cannot be used, as a sentence, if it cannot */
export function parseLinePattern(pattern: string, names: readonly string[]): LinePattern | string {
  try {
    const { node, groups } = parsePattern(pattern, names);
    return new LinePattern(new PatternCompiler().compile(node), groups);
  } catch (error) {
    if (error instanceof PatternFault) return error.message;
    throw error;
  }
}
