import type { Command } from './command.ts';
import { usage } from './parse.ts';

/** So many decisions at most. */
const LAST_MAX = 500;
/** As for the header `Shoal-Request-Id`. */
const ID_CHARS_MAX = 128;

/** Parses how many decisions are to be explained. @throws USAGE */
export function countWord(command: Command, word = '1'): number {
  const count = /^[1-9]\d{0,3}$/.test(word) ? Number(word) : Number.NaN;
  if (count <= LAST_MAX) return count;
  throw usage(command, `expected how many decisions (1 to ${LAST_MAX}), got ${JSON.stringify(word)}`);
}

/** Parses the id of a request. @throws USAGE */
export function requestWord(command: Command, word = ''): string {
  if (word === '') throw usage(command, 'give the id of a request, as its header Shoal-Request-Id had it');
  if (word.length <= ID_CHARS_MAX) return word;
  throw usage(command, `the id of a request has at most ${ID_CHARS_MAX} characters, this one ${word.length}`);
}
