import { PatternFault, type PatternNode } from './pattern-parser.ts';

/** What `LinePattern` runs. An instruction that names no place goes on with the one after it. */
export type Instruction =
  | { readonly op: 'take'; readonly takes: (code: number) => boolean }
  | { readonly op: 'begin' | 'end' | 'match' }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'jump'; readonly to: number }
  /** Both ways; the first is preferred. */
  | { readonly op: 'split'; readonly first: number; readonly second: number };

/** With the longest line that is matched, it bounds the work for a line. */
export const INSTRUCTIONS_MAX = 200;

export class PatternCompiler {
  readonly #program: Instruction[] = [];

  /** @throws PatternFault if the program would be too long */
  compile(node: PatternNode): readonly Instruction[] {
    this.#emit(node);
    this.#push({ op: 'match' });
    return this.#program;
  }

  #emit(node: PatternNode): void {
    switch (node.kind) {
      case 'take':
        this.#push({ op: 'take', takes: node.takes });
        return;
      case 'begin':
      case 'end':
        this.#push({ op: node.kind });
        return;
      case 'sequence':
        for (const part of node.parts) this.#emit(part);
        return;
      case 'either':
        this.#either(node.parts);
        return;
      case 'group':
        this.#push({ op: 'save', slot: 2 * node.index });
        this.#emit(node.part);
        this.#push({ op: 'save', slot: 2 * node.index + 1 });
        return;
      case 'repeat':
        this.#repeat(node);
    }
  }

  #either(parts: readonly PatternNode[]): void {
    const ends: number[] = [];
    for (const [index, part] of parts.entries()) {
      if (index === parts.length - 1) {
        this.#emit(part);
        continue;
      }
      const split = this.#push({ op: 'match' });
      this.#emit(part);
      ends.push(this.#push({ op: 'match' }));
      this.#program[split] = { op: 'split', first: split + 1, second: this.#program.length };
    }
    for (const end of ends) this.#program[end] = { op: 'jump', to: this.#program.length };
  }

  #repeat({ part, min, max, lazy }: Extract<PatternNode, { kind: 'repeat' }>): void {
    for (let count = 0; count < min; count++) this.#emit(part);
    if (max === Number.POSITIVE_INFINITY) {
      const split = this.#push({ op: 'match' });
      this.#emit(part);
      this.#push({ op: 'jump', to: split });
      this.#split(split, lazy);
      return;
    }
    const splits: number[] = [];
    for (let count = min; count < max; count++) {
      splits.push(this.#push({ op: 'match' }));
      this.#emit(part);
    }
    for (const split of splits) this.#split(split, lazy);
  }

  /** Into the part that follows, or to the end of the program as it is now. */
  #split(at: number, lazy: boolean): void {
    const [into, past] = [at + 1, this.#program.length];
    this.#program[at] = lazy ? { op: 'split', first: past, second: into } : { op: 'split', first: into, second: past };
  }

  /** @returns where it stands; a `match` may be put in the place of an instruction that is known later */
  #push(instruction: Instruction): number {
    if (this.#program.length >= INSTRUCTIONS_MAX)
      throw new PatternFault('It is too long once its repetitions are written out; shorten it');
    return this.#program.push(instruction) - 1;
  }
}
