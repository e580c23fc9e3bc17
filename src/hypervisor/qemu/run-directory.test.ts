import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rootDirectory } from './root-directory.ts';
import { ensurePrivateDirectory, makeRunDirectory, runPaths, runtimeRoot } from './run-directory.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the runtime root', () => {
  it('is what the user says, or the place for root, or that for users', () => {
    expect(runtimeRoot({ SHOAL_RUNTIME_DIR: '/x', XDG_RUNTIME_DIR: '/run/user/5' }, 0)).toBe('/x');
    expect(runtimeRoot({ XDG_RUNTIME_DIR: '/run/user/5' }, 0)).toBe(rootDirectory());
    expect(runtimeRoot({ XDG_RUNTIME_DIR: '/run/user/5' }, 5)).toBe('/run/user/5/shoal');
  });

  it('is no relative path', () => {
    expect(() => runtimeRoot({ SHOAL_RUNTIME_DIR: 'run' }, 0)).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('"run"') }),
    );
    expect(() => runtimeRoot({ XDG_RUNTIME_DIR: 'run' }, 5)).toThrow(
      expect.objectContaining({ code: 'RIGHTS_MISSING' }),
    );
  });

  it('is RIGHTS_MISSING for a user without any', () => {
    expect(() => runtimeRoot({}, 5)).toThrow(expect.objectContaining({ code: 'RIGHTS_MISSING' }));
  });
});

describe('run directories', () => {
  it('are refused if a socket path in them would have 108 bytes or more, and say how many', () => {
    const longest = `/${'x'.repeat(107 - '//7/console.sock'.length)}`;
    expect(runPaths(longest, 7).consoleIn).toHaveLength(107);
    expect(() => runPaths(`${longest}x`, 7)).toThrow(
      expect.objectContaining({ code: 'PATH_TOO_LONG', message: expect.stringContaining('108 bytes') }),
    );
    expect(() => runPaths(`/${'ä'.repeat(50)}`, 7)).toThrow(expect.objectContaining({ code: 'PATH_TOO_LONG' }));
  });

  it('are for their owner only, also when the place was open to others before', () => {
    const open = join(folder, 'open');
    ensurePrivateDirectory(open);
    chmodSync(open, 0o755);
    ensurePrivateDirectory(open);
    expect(statSync(open).mode & 0o777).toBe(0o700);
  });

  it('are not made through a link that somebody laid', () => {
    symlinkSync(folder, join(folder, 'link'));
    expect(() => ensurePrivateDirectory(join(folder, 'link'))).toThrow(
      expect.objectContaining({ code: 'RIGHTS_MISSING' }),
    );
  });

  it('belong to one VM', () => {
    makeRunDirectory(join(folder, '7'));
    expect(() => makeRunDirectory(join(folder, '7'))).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });
});
