import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ALL } from './all.ts';
import { mutated } from './mutation.ts';

const FLEET = fileURLToPath(new URL('../../src/fleet', import.meta.url));

describe('the list of mutations', () => {
  it('fits the sources: each text to replace is there exactly once', () => {
    const misfits = ALL.flatMap((mutation) => {
      try {
        mutated(readFileSync(`${FLEET}/${mutation.file}`, 'utf8'), mutation);
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
