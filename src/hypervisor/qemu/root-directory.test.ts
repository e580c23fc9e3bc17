import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseRootDirectory } from './root-directory.ts';

let folder: string;
let parents: { usual: string; inMemory: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'root-'));
  parents = { usual: join(folder, 'run'), inMemory: join(folder, 'shm') };
  for (const parent of Object.values(parents)) mkdirSync(parent);
});
afterEach(() => rmSync(folder, { recursive: true }));

const choice = (inMemory: readonly string[] = [parents.inMemory]) =>
  chooseRootDirectory(parents, (path) => inMemory.includes(path));

describe("root's run directories", () => {
  it('are in memory if there is some', () => {
    expect(choice()).toBe(join(parents.inMemory, 'shoal'));
    expect(choice([])).toBe(join(parents.usual, 'shoal'));
    expect(choice([parents.usual, parents.inMemory])).toBe(join(parents.usual, 'shoal'));
  });

  it('stay where those of earlier VMs are', () => {
    mkdirSync(join(parents.usual, 'shoal'));
    writeFileSync(join(parents.usual, 'shoal/tag.json'), '');
    expect(choice()).toBe(join(parents.inMemory, 'shoal'));
    mkdirSync(join(parents.usual, 'shoal/tag'));
    expect(choice()).toBe(join(parents.usual, 'shoal'));
    // Once some are in memory, they are all.
    mkdirSync(join(parents.inMemory, 'shoal'));
    expect(choice()).toBe(join(parents.inMemory, 'shoal'));
  });

  it.each([
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a link', (path: string) => symlinkSync('/tmp', path)],
  ])('are not where somebody has put %s', (_what, put) => {
    put(join(parents.inMemory, 'shoal'));
    expect(choice()).toBe(join(parents.usual, 'shoal'));
  });

  it('are in the usual place if it cannot be told where else', () => {
    rmSync(parents.inMemory, { recursive: true });
    expect(choice()).toBe(join(parents.usual, 'shoal'));
  });
});
