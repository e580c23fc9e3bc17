import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseProfile } from '../hypervisor/mod.ts';
import { buildService } from './service-build.ts';

let folder: string;
let said: string[];
const say = (line: string): void => void said.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal service '));
  said = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('a service for IncludeOS', () => {
  const build = (source?: string) =>
    buildService({ system: 'includeos', source, output: join(folder, 'out/text.elf'), say });

  test('where none is named: says what is missing and what to set', async () => {
    vi.stubEnv('INCLUDEOS_PACKAGE', '');
    await expect(build()).rejects.toMatchObject({
      code: 'SERVICE_BUILD',
      message: expect.stringMatching(/no IncludeOS is named; install it .*, and set INCLUDEOS_PACKAGE to its folder/),
    });
    expect(existsSync(join(folder, 'out/text.elf'))).toBe(false);
    expect(existsSync(join(folder, 'out/text.shoal.json'))).toBe(false);
  });

  test('where the folder has none: names the folder', async () => {
    vi.stubEnv('INCLUDEOS_PACKAGE', folder);
    await expect(build()).rejects.toThrow(`there is no IncludeOS in '${folder}' (no cmake/os.cmake)`);
  });

  test('where a program is missing that it needs: names the program', async () => {
    pretendIncludeos();
    pretendPrograms();
    vi.stubEnv('CXX', 'no-such-compiler');
    await expect(build()).rejects.toThrow("'no-such-compiler' is missing, which IncludeOS needs");
  });

  test('writes the image and the profile that boots it, with the sources of a folder or of one file', async () => {
    pretendIncludeos();
    pretendPrograms();
    const greet = join(folder, 'greet.cpp');
    writeFileSync(greet, '');
    for (const source of [undefined, folder, greet]) {
      const built = await build(source);
      expect(built).toEqual({ image: join(folder, 'out/text.elf'), profile: join(folder, 'out/text.shoal.json') });
      const called = readFileSync(built.image, 'utf8');
      const sources = / -DSHOAL_SERVICE_SOURCES=(.*) -DSHOAL_TEST_IMAGE=OFF/.exec(called)?.[1];
      expect([source, sources]).toEqual([source, source === undefined ? '' : expect.stringMatching(/\/greet\.cpp$/)]);
      const profile = parseProfile(JSON.parse(readFileSync(join(folder, 'out/text.shoal.json'), 'utf8')), 'beside it');
      expect(profile).toMatchObject({ machine: 'pc', boot: 'multiboot', networkDevice: 'virtio-net-pci' });
    }
  });

  function pretendIncludeos(): void {
    mkdirSync(join(folder, 'cmake'));
    writeFileSync(join(folder, 'cmake/os.cmake'), '');
    vi.stubEnv('INCLUDEOS_PACKAGE', folder);
  }

  /** Programs that take the build script's calls: what `cmake` was called with becomes the image. */
  function pretendPrograms(): void {
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    const scripts = {
      cmake: `case $1 in -S) echo "$@" >'${folder}/called' ;; esac`,
      objcopy: `for file; do :; done; cp '${folder}/called' "$file"`,
      clang: '',
      'clang++': '',
      nasm: '',
    };
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    }
    vi.stubEnv('PATH', `${programs}:${process.env['PATH']}`);
  }
});

describe('a source', () => {
  test.each([
    ['missing.cpp', /the source .*missing\.cpp cannot be read: /],
    ['service.txt', /the source .*service\.txt is neither a folder nor a \.cpp file/],
  ])('%s is refused with its path', async (name, message) => {
    writeFileSync(join(folder, 'service.txt'), '');
    const built = buildService({ system: 'builtin', source: join(folder, name), output: join(folder, 'x.elf'), say });
    await expect(built).rejects.toThrow(message);
    expect(said).toEqual([]);
  });

  test('without C++ in it is refused by the build, which is heard', async () => {
    const built = buildService({ system: 'builtin', source: folder, output: join(folder, 'x.elf'), say });
    await expect(built).rejects.toThrow(`No image was built: there is no .cpp file in '${folder}'`);
    expect(said.at(-1)).toContain('there is no .cpp file');
  });
});
