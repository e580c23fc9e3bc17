import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundFile, readTail } from './bounded-file.ts';
import { writeAtomic, writeDurable } from './durable-write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('boundFile', () => {
  it('keeps the tail of a file that has grown too large, and what is appended later follows it', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, `${'x'.repeat(2_000)}the end`);
    await boundFile(path, 1_000);
    appendFileSync(path, '!');
    const text = readFileSync(path, 'utf8');
    expect(text).toHaveLength(1_001);
    expect(text.endsWith('the end!')).toBe(true);
  });

  it('leaves a small file and a missing one alone', async () => {
    const path = join(folder, 'log');
    await boundFile(path);
    writeFileSync(path, 'short');
    await boundFile(path);
    expect(readFileSync(path, 'utf8')).toBe('short');
  });
});

describe('readTail', () => {
  it('reads at most what it is told to, from the end', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'abcdef');
    expect(await readTail(path, 3)).toBe('def');
    expect(await readTail(path, 100)).toBe('abcdef');
    expect(await readTail(join(folder, 'none'), 100)).toBe('');
  });
});

describe('writeDurable', () => {
  it('replaces a file, for its owner only, and leaves nothing beside it', async () => {
    const path = join(folder, 'manifest.json');
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['manifest.json']);
  });

  it('leaves the old content when it fails', async () => {
    await expect(writeDurable(join(folder, 'none', 'file'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('writeAtomic', () => {
  it('replaces the whole of a file, for this user alone', () => {
    const path = join(folder, 'manifest.json');
    writeAtomic(path, 'the old one, which is longer');
    writeAtomic(path, 'the new one');
    expect(readFileSync(path, 'utf8')).toBe('the new one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['manifest.json']);
  });

  it('leaves nothing behind when it cannot', () => {
    const path = join(folder, 'taken');
    mkdirSync(path);
    expect(() => writeAtomic(path, 'text')).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    expect(readdirSync(folder)).toEqual(['taken']);
  });
});
