import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const TAIL_BYTES_MAX = 8192;

/**
 * The last lines of a log that may be long and may still be growing. Tools redraw lines (`\r`) and colour them;
 * neither is wanted here.
 *
 * @param {string} path
 * @param {number} lineCount
 * @returns {string[]}
 */
export function lastLines(path, lineCount) {
  return stripVTControlCharacters(readTail(path))
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .slice(-lineCount);
}

/** @param {string} path */
function readTail(path) {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES_MAX));
    const count = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, count);
  } finally {
    closeSync(file);
  }
}
