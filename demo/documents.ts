import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['', 'docs', 'includeos'];

/** A text, and what the operation `count` must answer to it. */
export interface Document {
  readonly text: string;
  readonly expected: Counts;
}

export interface Counts {
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
}

/** This repository's documentation. */
export function documents(): readonly [Document, ...Document[]] {
  const [first, ...others] = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  )
    .filter((path) => path.endsWith('.md'))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .map((text) => ({ text, expected: countsOf(text) }));
  if (first === undefined) throw new Error(`there is no document in ${ROOT}`);
  return [first, ...others];
}

/** Node's own count: a word is a run of non-blanks; a last line needs no line break. */
export function countsOf(text: string): Counts {
  const lines = text === '' ? 0 : text.replace(/\n$/, '').split('\n').length;
  const words = text.match(/\S+/gu)?.length ?? 0;
  return { lines, words, bytes: Buffer.byteLength(text) };
}

/** @returns whether a guest's answer says the same */
export function isRight(answer: string, { lines, words, bytes }: Counts): boolean {
  return answer === JSON.stringify({ lines, words, bytes });
}
