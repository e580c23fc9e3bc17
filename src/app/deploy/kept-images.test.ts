import { describe, expect, it } from 'vitest';
import { makeParams } from '../../fleet/mod.ts';
import { BUILT_IN_PROFILE, type ImageInfo, type ImageProfile } from '../../hypervisor/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { KeptImages } from './kept-images.ts';

const image = (digest: string, profile: Partial<ImageProfile>): ImageInfo => ({
  path: `/images/${digest}`,
  digest,
  fileDigest: digest,
  companion: undefined,
  bytes: 1,
  profile: { ...BUILT_IN_PROFILE, ...profile },
});

function kept(values: Readonly<Record<string, number>> = {}): KeptImages {
  const acceleratorOf = async () => expect.unreachable('it is known already');
  // Images that are known are not looked for there.
  const data = {} as DataDir;
  return new KeptImages({
    data,
    params: () => makeParams(values),
    acceleratorOf,
    qemuOf: () => expect.unreachable('as is its QEMU'),
  });
}

describe('the images of a host', () => {
  const machine = { accelerator: 'tcg', qemu: undefined } as const;

  it('are loaded once, and known from then on', async () => {
    const images = kept();
    const one = image('a', {});
    images.add(one, machine);
    expect(await images.load('a')).toEqual({ image: one, ...machine });
    expect(images.profileOf('a')).toBe(one.profile);
    expect([images.profileOf('b'), images.parametersOf('b')]).toEqual([undefined, {}]);
  });

  it('say all that VMs of them take, so that nothing of another profile stays', () => {
    const images = kept();
    images.add(image('a', {}), machine);
    expect(images.parametersOf('a')).toMatchObject({ accelerator: 'tcg', memoryMib: BUILT_IN_PROFILE.memoryMib });
    expect(Object.keys(images.parametersOf('a'))).toEqual(
      expect.arrayContaining(['profile', 'companion', 'virtioConsole']),
    );
  });

  it('boot as long as their profiles allow', () => {
    const images = kept();
    images.add(image('slow', { bootTimeoutMs: 90_000 }), machine);
    expect(images.parametersOf('slow')).toMatchObject({ bootTimeoutMs: 90_000 });
  });

  it('have the memory that a parameter says, and say when it is too little for one that may be started', () => {
    const images = kept({ vm_memory_bytes: 32 * 2 ** 20 });
    images.add(image('large', { memoryMib: 512, memoryMinMib: 48 }), machine);
    images.add(image('small', { memoryMib: 64 }), machine);
    expect(images.parametersOf('small')).toMatchObject({ memoryMib: 32 });
    expect(images.mostMemoryMib(['small'])).toBe(32);
    expect(images.mostMemoryMib(['small', 'large'])).toBe(48);
    const params = makeParams({ vm_memory_bytes: 32 * 2 ** 20 });
    images.checkMemory(['small', 'unknown'], params);
    expect(() => images.checkMemory(['small', 'large'], params)).toThrow('48 MiB');
  });

  it('need as much memory as the largest of them, and as much time to boot as the slowest', () => {
    const images = kept();
    images.add(image('large', { memoryMib: 512, bootTimeoutMs: 1_000 }), machine);
    images.add(image('slow', { memoryMib: 64, bootTimeoutMs: 90_000 }), machine);
    const all = ['large', 'slow', 'unknown'];
    expect([images.mostMemoryMib(all), images.slowestProfile(all).bootTimeoutMs]).toEqual([512, 90_000]);
    const none = ['unknown'];
    expect(images.mostMemoryMib(none)).toBe(BUILT_IN_PROFILE.memoryMib);
    expect(images.slowestProfile(none)).toBe(BUILT_IN_PROFILE);
  });
});
