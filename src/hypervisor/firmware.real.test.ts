import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspectImage } from './mod.ts';
import { parseProfile } from './profile/parse-profile.ts';
import { FIRMWARE } from './qemu/firmware.ts';
import { specOfImage } from './qemu/image.ts';
import { GUEST_IMAGE, realHypervisor, started, usableAccelerators } from './testing/mod.ts';

const ANSWER_MS = 10_000;
const { commandLine } = parseProfile({}, 'test');

describe.each(usableAccelerators())('under %s', (accelerator) => {
  it.each([
    ['boots an image', {}, 16],
    ['passes on a long command line', { commandLine: `${'x'.repeat(1_800)} ${commandLine}` }, 16],
    ['boots an image in the least memory that it needs', {}, 7],
    // More than it tells of. The guest touches little of it.
    ['boots an image in 3 GiB', {}, 3 * 1024],
    ['boots an image in 5 GiB', {}, 5 * 1024],
    ['is that of QEMU for whoever wants it', { firmware: 'qemu' }, 16],
  ])('the firmware %s', async (_, fields, memoryMib) => {
    await using real = await realHypervisor();
    const image = await inspectImage(GUEST_IMAGE, parseProfile(fields, 'test'));
    const spec = await real.spec({ ...specOfImage(image), accelerator, memoryMib });
    const { machine, client } = await started(real, spec);
    expect(await client.request('upper', 'text', ANSWER_MS)).toBe('TEXT');
    client.close();
    const args = readFileSync(`/proc/${machine.process.pid}/cmdline`, 'utf8').split('\0');
    expect(args.includes(FIRMWARE)).toBe(!('firmware' in fields));
  });
});
