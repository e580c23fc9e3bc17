import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** From the bottom up: a folder imports from itself and from those below. */
const FOLDERS = ['values', 'state', 'policy', 'router'];

describe.each(FOLDERS)('src/fleet/%s', (folder) => {
  it('imports nothing from the folders above it', () => {
    const above = FOLDERS.slice(FOLDERS.indexOf(folder) + 1);
    const files = readdirSync(join(import.meta.dirname, folder), { recursive: true, encoding: 'utf8' });
    const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
    expect(sources.length).toBeGreaterThan(0);
    for (const file of sources) {
      const text = readFileSync(join(import.meta.dirname, folder, file), 'utf8');
      const imported = [...text.matchAll(/ from '(?:\.\.\/)+(\w+)\//g)].map((match) => match[1] ?? '');
      expect([file, imported.filter((name) => above.includes(name))]).toEqual([file, []]);
    }
  });
});
