import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findProfile, parseProfile } from '../../hypervisor/mod.ts';
import { buildService } from './build-service.ts';

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
    const [greet, temporary] = [join(folder, 'greet.cpp'), join(folder, 'temporary')];
    writeFileSync(greet, '');
    mkdirSync(temporary);
    vi.stubEnv('TMPDIR', temporary);
    for (const source of [undefined, folder, greet]) {
      const built = await build(source);
      expect(built).toEqual({
        image: join(folder, 'out/text.elf'),
        profile: join(folder, 'out/text.shoal.json'),
      });
      const called = readFileSync(built.image, 'utf8');
      const sources = / -DSHOAL_SERVICE_SOURCES=(.*) -DSHOAL_TEST_IMAGE=OFF/.exec(called)?.[1];
      expect([source, sources]).toEqual([source, source === undefined ? '' : expect.stringMatching(/\/greet\.cpp$/)]);
      const profile = parseProfile(JSON.parse(readFileSync(join(folder, 'out/text.shoal.json'), 'utf8')), 'beside it');
      expect(profile).toMatchObject({ machine: 'pc', boot: 'multiboot', networkDevice: 'virtio-net-pci' });
    }
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('whose image has a version in its name has the profile that `shoal up` finds', async () => {
    pretendIncludeos();
    pretendPrograms();
    const image = join(folder, 'text-1.2');
    const { profile } = await buildService({ system: 'includeos', output: image, say });
    expect([profile, (await findProfile(image, {})).from]).toEqual([`${image}.shoal.json`, `${image}.shoal.json`]);
  });

  test('that is no C++ is refused', async () => {
    const hello = join(folder, 'hello.ts');
    writeFileSync(hello, '');
    await expect(build(hello)).rejects.toThrow(`${hello} is no C++, and on IncludeOS a service is. Leave --system out`);
  });

  function pretendIncludeos(): void {
    mkdirSync(join(folder, 'cmake'));
    writeFileSync(join(folder, 'cmake/os.cmake'), '');
    vi.stubEnv('INCLUDEOS_PACKAGE', folder);
    for (const name of ['CC', 'CXX', 'CMAKE_PREFIX_PATH']) vi.stubEnv(name, '');
  }

  /** Programs that take the build script's calls: what `cmake` was called with becomes the image. */
  function pretendPrograms(): void {
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    const scripts = {
      cmake: `case $1 in -S) echo "$@" >'${folder}/called' ;; esac`,
      objcopy: `for file; do :; done; cp '${folder}/called' "$file"`,
      node: 'cp "$2" "$3"',
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

test.each([
  ['is cut short', [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 3, 9], /section .* extends past end/],
  ['is something else', [...Buffer.from('no module')], /expected magic word/],
])('a module of WebAssembly that %s is refused, and says why', async (_, bytes, why) => {
  const source = join(folder, 'upper.wasm');
  writeFileSync(source, Buffer.from(bytes));
  const build = buildService({ system: 'builtin', source, output: join(folder, 'upper.elf'), say });
  await expect(build).rejects.toMatchObject({ code: 'SERVICE_BUILD', message: expect.stringMatching(why) });
  await expect(build).rejects.toThrow(`${source} is no module of WebAssembly: `);
});

test.each([
  ['hello.cpp', ['sh', 'dirname'], /'gcc' is missing; on Debian: apt-get install gcc g\+\+/],
  ['hello.wasm', ['sh', 'dirname'], /'gcc' is missing; on Debian: apt-get install gcc g\+\+/],
  [
    'hello.wasm',
    ['sh', 'dirname', 'uname', 'gcc', 'g++', 'ld', 'strip', 'tar', 'xz', 'sha256sum'],
    /'wasm2c' is missing; on Debian 12: apt-get install wabt/,
  ],
])('%s, where there are only the programs %j, says what is missing', async (name, programs, message) => {
  const source = join(folder, name);
  writeFileSync(source, Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const path = join(folder, 'programs');
  mkdirSync(path);
  for (const program of programs) symlinkSync(pathOf(program), join(path, program));
  vi.stubEnv('PATH', path);
  const output = join(folder, 'hello.elf');
  await expect(buildService({ system: 'builtin', source, output, say })).rejects.toMatchObject({
    code: 'SERVICE_BUILD',
    message: expect.stringMatching(message),
  });
  expect(existsSync(output)).toBe(false);
});

describe('an image of 64 bits', () => {
  const script = fileURLToPath(new URL('../../../includeos/includeos/wrap-multiboot.mjs', import.meta.url));
  const content = Buffer.from('0123456789abcdef');

  /** An ELF file with one segment: its own header, a multiboot header and some bytes. */
  function image64(magic: number, address = 0x200000n): Buffer {
    const image = Buffer.alloc(256 + content.length);
    image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    image.writeUInt16LE(2, 16);
    image.writeUInt16LE(62, 18);
    image.writeBigUInt64LE(address + 0x40n, 24);
    image.writeBigUInt64LE(64n, 32);
    image.writeUInt16LE(56, 54);
    image.writeUInt16LE(1, 56);
    image.writeUInt32LE(1, 64);
    const fields = [0n, address, address, BigInt(image.length), 0x1000n];
    for (const [index, value] of fields.entries()) image.writeBigUInt64LE(value, 72 + 8 * index);
    image.writeUInt32LE(magic, 128);
    content.copy(image, 256);
    return image;
  }

  function wrap(image: Buffer): { readonly wrapped: Buffer | undefined; readonly said: string } {
    const [from, to] = [join(folder, 'image64'), join(folder, 'image32')];
    writeFileSync(from, image);
    const { stderr } = spawnSync(process.execPath, [script, from, to], { encoding: 'utf8' });
    return { wrapped: existsSync(to) ? readFileSync(to) : undefined, said: stderr };
  }

  test('becomes one of 32 bits with the same bytes at the same addresses', () => {
    const image = image64(0x1badb002);
    const { wrapped = Buffer.alloc(64), said: problem } = wrap(image);
    expect(problem).toBe('');
    expect([wrapped[4], wrapped.readUInt16LE(18), wrapped.readUInt32LE(24)]).toEqual([1, 3, 0x200040]);
    const at = wrapped.readUInt32LE(28);
    const [type, offset = 0, virtual, physical, fileBytes = 0, memoryBytes] = [0, 4, 8, 12, 16, 20].map((field) =>
      wrapped.readUInt32LE(at + field),
    );
    expect([type, virtual, physical, memoryBytes]).toEqual([1, 0x200000, 0x200000, 0x1000]);
    expect(wrapped.subarray(offset, offset + fileBytes).equals(image)).toBe(true);
  });

  test.each([
    ['without a multiboot header', image64(1), 'it has no multiboot header at its beginning'],
    ['beyond 4 GiB', image64(0x1badb002, 1n << 32n), 'is beyond 32 bits'],
    ['that is none', Buffer.alloc(100), 'it is no ELF file of 64 bits for x86-64'],
  ])('%s is refused with the reason', (_, image, why) => {
    expect(wrap(image)).toEqual({ wrapped: undefined, said: expect.stringContaining(why) });
  });
});

describe('a source', () => {
  test.each([
    ['missing.cpp', /the source .*missing\.cpp cannot be read: /],
    ['service.txt', /the source .*service\.txt is neither a folder nor a file that ends in \.ts, .*\.wasm, \.cpp/],
  ])('%s is refused with its path', async (name, message) => {
    writeFileSync(join(folder, 'service.txt'), '');
    const built = buildService({ system: 'builtin', source: join(folder, name), output: join(folder, 'x.elf'), say });
    await expect(built).rejects.toThrow(message);
    expect(said).toEqual([]);
  });

  test('that is a folder without C++ is refused, and names the file that may be meant', async () => {
    const build = () => buildService({ system: 'builtin', source: folder, output: join(folder, 'x.elf'), say });
    await expect(build()).rejects.toThrow(
      `No image was built: there is no .cpp file in the folder ${folder}. A service in another language is named by its file`,
    );
    for (const name of ['hello.test.ts', 'hello.ts']) writeFileSync(join(folder, name), '');
    await expect(build()).rejects.toThrow(`is named by its file, such as ${join(folder, 'hello.ts')}`);
    expect(said).toEqual([]);
  });

  test.each([
    ['hello.js', 'is the service itself'],
    ['link.js', 'is the service itself'],
    ['hello.service', 'would be two files of the image'],
    ['out', 'is a folder'],
    ['pipe', 'is no plain file'],
  ])('is not written over, nor is a file of the image by another: --output %s', async (output, why) => {
    const source = join(folder, 'hello.js');
    const text = "export default { a: () => '' };";
    writeFileSync(source, text);
    symlinkSync('hello.js', join(folder, 'link.js'));
    mkdirSync(join(folder, 'out'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    const built = buildService({ system: 'builtin', source, output: join(folder, output), say });
    await expect(built).rejects.toThrow(`No image was built: ${join(folder, output)} ${why}. Name another output`);
    expect(readFileSync(source, 'utf8')).toBe(text);
    expect(readdirSync(folder).sort()).toEqual(['hello.js', 'link.js', 'out', 'pipe']);
  });

  test('that is a pipe is refused, and not waited for', async () => {
    const source = join(folder, 'pipe.cpp');
    spawnSync('mkfifo', [source]);
    const built = buildService({ system: 'builtin', source, output: join(folder, 'x.elf'), say });
    await expect(built).rejects.toMatchObject({
      code: 'SERVICE_BUILD',
      message: expect.stringMatching(
        /the source .*pipe\.cpp cannot be read: .* is a pipe, and it must be a plain file/,
      ),
    });
  });
});

function pathOf(program: string): string {
  return spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
}
