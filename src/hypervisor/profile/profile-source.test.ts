import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProfile } from './profile-source.ts';
import { BUILT_IN_PROFILE, SHIPPED_PROFILES } from './shipped.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'profile-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const write = (name: string, value: unknown): void => writeFileSync(at(name), JSON.stringify(value));

describe('the profile of an image', () => {
  it('is that of the built-in image if there is none beside it', async () => {
    expect(await findProfile(at('guest.elf'), {})).toEqual({
      profile: BUILT_IN_PROFILE,
      from: undefined,
      companion: undefined,
    });
  });

  it.each([
    ['guest.elf', 'guest.shoal.json'],
    ['guest.elf', 'guest.elf.shoal.json'],
    ['guest.img', 'guest.shoal.json'],
    ['guest', 'guest.shoal.json'],
    ['vmlinuz-6.1.0-18-cloud-amd64', 'vmlinuz-6.1.0-18-cloud-amd64.shoal.json'],
  ])('%s stands in %s', async (image, name) => {
    write(name, { memoryMib: 99 });
    write('vmlinuz-6.1.shoal.json', { memoryMib: 1 });
    expect(await findProfile(at(image), {})).toMatchObject({ profile: { memoryMib: 99 }, from: at(name) });
  });

  it('may have the same field in two of its objects, and begin with the mark of its encoding', async () => {
    const text = '{"readiness":{"path":"/a"},"liveness":{"path":"/a"},"protocol":"http","accelerators":["tcg"]}';
    writeFileSync(at('guest.shoal.json'), `\ufeff${text}`);
    expect(await findProfile(at('guest.elf'), {})).toMatchObject({ profile: { liveness: { path: '/a' } } });
  });

  it('is none if the name of the image is too long for another one beside it', async () => {
    expect(await findProfile(at(`${'x'.repeat(251)}.elf`), {})).toMatchObject({ from: undefined });
  });

  it('must not stand there twice', async () => {
    write('guest.shoal.json', {});
    write('guest.elf.shoal.json', {});
    await expect(findProfile(at('guest.elf'), {})).rejects.toMatchObject({
      code: 'PROFILE_INVALID',
      message: expect.stringContaining('remove one'),
    });
  });

  it('may be named, by its file or by its name in Shoal; its paths are relative to it', async () => {
    mkdirSync(at('other'));
    write('guest.shoal.json', { memoryMib: 1 });
    write('other/p.json', { machine: 'pc', boot: 'linux', initrd: 'i' });
    const image = at('guest.elf');
    expect(await findProfile(image, { profile: at('other/p.json') })).toMatchObject({ companion: at('other/i') });
    const { profile, companion, from } = await findProfile(image, { profile: 'linux' });
    expect({ profile, companion, from }).toEqual({
      profile: SHIPPED_PROFILES['linux'],
      companion: at('initramfs.cpio.gz'),
      from: 'linux (of Shoal)',
    });
  });

  it('is overridden field by field', async () => {
    write('guest.shoal.json', { machine: 'pc', boot: 'multiboot', console: { format: 'json' } });
    const set = {
      memoryMib: '32',
      boot: 'pvh',
      'console.kind': 'event',
      accelerators: '["tcg"]',
      commandLine: 'x {id}',
    };
    expect((await findProfile(at('guest.elf'), { set })).profile).toMatchObject({
      machine: 'pc',
      boot: 'pvh',
      memoryMib: 32,
      console: { format: 'json', kind: 'event' },
      accelerators: ['tcg'],
      commandLine: 'x {id}',
    });
  });

  it.each([
    [{ nothing: '1' }, 'nothing'],
    [{ 'console.kind.x': '1' }, 'console.kind'],
    [{ 'memoryMib.x': '1' }, 'memoryMib.x'],
    [{ __proto__x: '1' }, '__proto__x'],
    [{ 'console.__proto__': '1' }, 'console.__proto__'],
  ])('is not overridden by %j', async (set, field) => {
    write('guest.shoal.json', { memoryMib: 8, console: { format: 'json', kind: 'k' } });
    await expect(findProfile(at('guest.elf'), { set })).rejects.toMatchObject({
      code: 'PROFILE_INVALID',
      message: expect.stringContaining(`\`${field}`),
    });
  });

  it.each([
    ['is a folder', (path: string) => mkdirSync(path), /it is a folder/],
    ['is a pipe', (path: string) => void execFileSync('mkfifo', [path]), /pipe, and it must be a plain file/],
    ['is empty', (path: string) => writeFileSync(path, ''), /is not JSON/],
    ['is no JSON', (path: string) => writeFileSync(path, '{"machine": pc}'), /is not JSON/],
    ['is too long', (path: string) => writeFileSync(path, ' '.repeat(70_000)), /more than 65536 bytes/],
    ['leads nowhere', (path: string) => symlinkSync('moved.json', path), /no such file/],
    ['leads to itself', (path: string) => symlinkSync(path, path), /ELOOP/],
    ['is not UTF-8', (path: string) => writeFileSync(path, Buffer.from('{"initrd":"\xff"}', 'latin1')), /is not JSON/],
    [
      'contradicts itself',
      (path: string) => writeFileSync(path, '{"machine":"pc","console":{"kind":"\\"}"},"m\\u0061chine":"q35"}'),
      /the field `machine` twice/,
    ],
    ['is damaged', (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0])), /is not JSON/],
  ])('that %s is refused with the reason, and is not waited for', async (_, make, why) => {
    make(at('guest.shoal.json'));
    await expect(findProfile(at('guest.elf'), {})).rejects.toMatchObject({
      code: 'PROFILE_INVALID',
      message: expect.stringMatching(why),
    });
  });

  it('that is named and is not there is refused with what there is', async () => {
    await expect(findProfile(at('guest.elf'), { profile: at('none') })).rejects.toMatchObject({
      message: expect.stringMatching(/no such file.* or one of built-in, includeos, linux/),
    });
  });
});
