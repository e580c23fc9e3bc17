import { dirname, relative } from 'node:path';
import type { Bundle } from './bundle.ts';
import type { Place } from './fault.ts';

/** Every VM has them in its memory, twice. */
const BYTES_MAX = 64 * 1024;

/**
 * Where the lines of a script stand in the author's own files, for the guest, which has no source map: names of files, a line each, an empty
 * line, then runs of lines that stand one after the other in both, as `LINE,FILE,ITS_LINE,COUNT;`. The prelude reads it.
 * @param shift how many lines stand before the script in a guest
 * @returns empty for what would take too much memory
 */
export function placesOf({ file, script, placeOf }: Bundle, shift: number): string {
  const folder = dirname(file);
  const files: string[] = [];
  const runs: { readonly at: number; readonly file: number; readonly line: number; count: number }[] = [];
  for (const [index, text] of script.split('\n').entries()) {
    const place = firstPlace(text.length + 1, (column) => placeOf(index + 1, column));
    if (place?.line === undefined || place.file.includes('/node_modules/')) continue;
    const name = relative(folder, place.file);
    if (!files.includes(name)) files.push(name);
    const run = { at: index + 1 + shift, file: files.indexOf(name), line: place.line, count: 1 };
    const last = runs.at(-1);
    if (last?.file === run.file && last.at + last.count === run.at && last.line + last.count === run.line)
      last.count += 1;
    else runs.push(run);
  }
  const told = runs.map(({ at, file: of, line, count }) => `${at},${of},${line},${count};`).join('');
  const table = `${files.join('\n')}\n\n${told}`;
  return Buffer.byteLength(table) > BYTES_MAX ? '' : table;
}

/** Of a line: what stands before the first place has none, and all that stands behind it has one. */
function firstPlace(columns: number, placeAt: (column: number) => Place | undefined): Place | undefined {
  let before = 0;
  let behind = columns;
  while (behind - before > 1) {
    const middle = (before + behind) >> 1;
    if (placeAt(middle) === undefined) before = middle;
    else behind = middle;
  }
  return placeAt(behind);
}
