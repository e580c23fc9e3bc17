import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkWritable, type OutputFile, writeOutput } from './output-file.ts';

function chart(path: string): OutputFile {
  return { flag: '--chart', path };
}

const folder = mkdtempSync(join(tmpdir(), 'shoal-output-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'file');
writeFileSync(file, 'as it was, and longer');
const pipe = join(folder, 'pipe');
execFileSync('mkfifo', [pipe]);

describe('a file for a result', () => {
  test('may be new, and is not made before there is a result', () => {
    const path = join(folder, 'new');
    checkWritable(chart(path));
    expect(existsSync(path)).toBe(false);
    writeOutput(chart(path), 'text');
    expect(readFileSync(path, 'utf8')).toBe('text');
  });

  test('may be there, and stays as it is until there is a result', () => {
    checkWritable(chart(file));
    expect(readFileSync(file, 'utf8')).toBe('as it was, and longer');
    writeOutput(chart(file), 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  test.each([
    ['a folder', folder, 'EISDIR'],
    ['in no folder', join(folder, 'no', 'file'), 'ENOENT'],
    ['in a file', join(file, 'file'), 'ENOTDIR'],
    ['a pipe that nobody reads', pipe, 'pipe'],
    ['a device', '/dev/full', 'device'],
  ])('%s is refused before and after the run, and nobody waits', (_, path, why) => {
    const refused = expect.objectContaining({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringMatching(
        new RegExp(`^${path} cannot be written: .*${why}.*; give --chart a plain file in`),
      ),
    });
    expect(() => checkWritable(chart(path))).toThrow(refused);
    expect(() => writeOutput(chart(path), 'text')).toThrow(refused);
  });
});
