import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const TAIL_BYTES_MAX = 8192;
const FIRST_LINES = 20;
const LAST_LINES = 30;

/**
 * The newest line of a log that may be long and is still growing.
 *
 * @param {string} path
 */
export function latestLine(path) {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES_MAX));
    const count = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return linesOf(buffer.toString('utf8', 0, count)).at(-1) ?? '';
  } finally {
    closeSync(file);
  }
}

/**
 * What to show of the log of something that failed: its end, where most tools say why, and its beginning, where npm does.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function excerpt(path) {
  const lines = linesOf(readFileSync(path, 'utf8'));
  const left = lines.length - FIRST_LINES - LAST_LINES;
  if (left <= 0) return lines;
  return [...lines.slice(0, FIRST_LINES), `... (${left} lines)`, ...lines.slice(-LAST_LINES)];
}

/**
 * Tools colour their lines and draw them again (`\r`); neither is wanted here.
 *
 * @param {string} text
 */
function linesOf(text) {
  return stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '');
}
