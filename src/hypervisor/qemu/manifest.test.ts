import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../port.ts';
import { parseProfile } from '../profile/parse-profile.ts';
import { BUILT_IN_PROFILE, profileOf } from '../profile/shipped.ts';
import { readManifest, versionOf, writeManifest } from './manifest.ts';

const MANIFEST: Manifest = {
  version: 1,
  spec: {
    vm: 7,
    address: { id: 1, ip: '127.0.0.1', port: 9000 },
    image: '/image',
    imageDigest: 'digest',
    accelerator: 'tcg',
    memoryMib: 16,
    statusIntervalMs: 1_000,
    textBytesMax: 1_000,
  },
  uuid: 'uuid',
  argvDigest: 'digest',
  bootId: 'boot',
  preparedMs: 5,
  process: { pid: 5, startTicks: 1, bootId: 'boot' },
  guest: { textBytesMax: 1_000, idempotent: true, operations: ['upper'] },
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'manifest-'));
  path = join(folder, 'manifest.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a manifest', () => {
  it('is read as it was written', async () => {
    writeManifest(path, MANIFEST);
    expect(await readManifest(path)).toEqual(MANIFEST);
    const { process: _, guest: __, ...planned } = MANIFEST;
    writeManifest(path, planned);
    expect(await readManifest(path)).toEqual(planned);
  });

  it.each([
    ['spec', { spec: { ...MANIFEST.spec, vm: 'seven' } }],
    ['spec', { spec: { ...MANIFEST.spec, address: { id: 1, ip: '127.0.0.1' } } }],
    ['spec', { spec: { ...MANIFEST.spec, accelerator: 'xen' } }],
    ['uuid', { uuid: 1 }],
    ['argvDigest', { argvDigest: null }],
    ['bootId', { bootId: [] }],
    ['preparedMs', { preparedMs: 0.5 }],
    ['process', { process: { pid: 5, startTicks: '1', bootId: 'boot' } }],
    ['guest', { guest: { textBytesMax: 1_000, idempotent: true, operations: [1] } }],
  ])('with a wrong %s is refused: %j', async (field, wrong) => {
    writeFileSync(path, JSON.stringify({ ...MANIFEST, ...wrong }));
    await expect(readManifest(path)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining(`\`${field}\` is missing or wrong`),
    });
  });

  it('of a machine without a network is read as it was written, and older Shoals leave it alone', async () => {
    const spec = { ...MANIFEST.spec, network: 'none' } as const;
    const manifest = { ...MANIFEST, version: versionOf(spec), spec };
    writeManifest(path, manifest);
    expect(await readManifest(path)).toEqual(manifest);
    expect(versionOf(spec)).toBe(2);
    writeFileSync(path, JSON.stringify({ ...manifest, spec: { ...spec, network: 'tap' } }));
    await expect(readManifest(path)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it('of a guest with a virtio console is read as it was written, and by older Shoals as well', async () => {
    const spec = { ...MANIFEST.spec, virtioConsole: true } as const;
    writeManifest(path, { ...MANIFEST, spec });
    expect(await readManifest(path)).toEqual({ ...MANIFEST, spec });
    expect(versionOf(spec)).toBe(1);
    writeFileSync(path, JSON.stringify({ ...MANIFEST, spec: { ...spec, virtioConsole: 'no' } }));
    await expect(readManifest(path)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it('of a Shoal without profiles is one of the built-in image, whatever else it says', async () => {
    const { spec } = MANIFEST;
    writeFileSync(path, JSON.stringify({ ...MANIFEST, spec: { ...spec, profile: { machine: 'pc' } } }));
    const read = await readManifest(path);
    expect(read).toEqual(MANIFEST);
    expect(profileOf(read.spec)).toBe(BUILT_IN_PROFILE);
  });

  it('with a profile has version 2, which a Shoal without profiles refuses, and is read as it was written', async () => {
    const profile = parseProfile({ machine: 'pc', memoryMib: 32 }, 'test');
    const spec = { ...MANIFEST.spec, profile, companion: { path: '/initrd', digest: 'digest' } };
    expect([versionOf(MANIFEST.spec), versionOf(spec)]).toEqual([1, 2]);
    const manifest: Manifest = { ...MANIFEST, version: 2, spec };
    writeManifest(path, manifest);
    expect(await readManifest(path)).toEqual(manifest);
  });

  it.each([
    ['no profile', undefined, undefined],
    ['a profile that is none', { machine: 'vax' }, undefined],
    ['half a companion', {}, { path: '/initrd' }],
  ])('of version 2 with %s is refused', async (_, profile, companion) => {
    writeFileSync(path, JSON.stringify({ ...MANIFEST, version: 2, spec: { ...MANIFEST.spec, profile, companion } }));
    await expect(readManifest(path)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it.each(['', '[]', '{"version":2}', '{"version":3}'])('that is none is refused: %j', async (text) => {
    writeFileSync(path, text);
    await expect(readManifest(path)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});
