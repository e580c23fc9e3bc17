import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AREAS } from './all.ts';
import { mutated } from './mutation.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const ALL = Object.values(AREAS).flatMap(({ mutations }) => mutations);

describe('the list of mutations', () => {
  it('fits the sources: each text to replace is there exactly once', () => {
    const misfits = ALL.flatMap((mutation) => {
      try {
        mutated(readFileSync(`${SRC}/${mutation.file}`, 'utf8'), mutation);
        return [];
      } catch (error) {
        return [String(error)];
      }
    });
    expect(misfits).toEqual([]);
  });

  it('names each promise once', () => {
    const names = ALL.map(({ breaks }) => breaks);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
