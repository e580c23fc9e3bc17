import { randomFillSync } from 'node:crypto';

/** Memory for all texts of a load. Several different ones keep caches from answering. */
const BYTES_MAX = 16 * 1024 * 1024;
const TEXTS_MAX = 64;
/** Maps a random byte to a character, giving words of about five letters and lines of about fifty. */
const CHARS = Buffer.from('abcdefghijklmnopqrstuvwxyz'.repeat(8) + ' '.repeat(43) + '\n'.repeat(5), 'latin1');

/** Texts of words in lines, each of `bytes` bytes. */
export function randomTexts(bytes: number): [string, ...string[]] {
  const count = Math.min(TEXTS_MAX, Math.floor(BYTES_MAX / Math.max(1, bytes)));
  const first = randomText(bytes);
  return [first, ...Array.from({ length: Math.max(0, count - 1) }, () => randomText(bytes))];
}

function randomText(bytes: number): string {
  const text = randomFillSync(Buffer.alloc(bytes));
  for (const [at, value] of text.entries()) text[at] = CHARS[value] ?? 0;
  return text.toString('latin1');
}
