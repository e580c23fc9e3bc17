/** One change to the source that breaks a promise, and that a test must therefore catch. */
export interface Mutation {
  /** The promise that it breaks. Unique: a survivor is told by it. */
  readonly breaks: string;
  /** Below `src/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** A part of the sources, with the tests that must catch each of its mutations. */
export interface Area {
  readonly mutations: readonly Mutation[];
  /** Below `src/`, as patterns of files. */
  readonly tests: readonly string[];
}

type Change = readonly [breaks: string, from: string, to: string];

export function mutationsOf(file: string, changes: readonly Change[]): readonly Mutation[] {
  return changes.map(([breaks, from, to]) => ({ breaks, file, from, to }));
}

/**
 * The source with the mutation in it.
 * @throws Error if the text to replace is not there exactly once: the source has changed, and the list must follow
 */
export function mutated(source: string, { breaks, file, from, to }: Mutation): string {
  const count = source.split(from).length - 1;
  if (count !== 1)
    throw new Error(`${file} has ${count} times, not once, the text of the mutation "${breaks}": ${from}`);
  if (from === to) throw new Error(`the mutation "${breaks}" changes nothing`);
  return source.replace(from, () => to);
}
