import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { qmpOf } from './kit/mod.ts';
import { inspectImage, type MachineSpec } from './mod.ts';
import type { Machine } from './port.ts';
import { parseProfile } from './profile/parse-profile.ts';
import { FIRMWARE } from './qemu/firmware.ts';
import { specOfImage } from './qemu/image.ts';
import { GUEST_IMAGE, type RealHypervisor, realHypervisor, started, usableAccelerators } from './testing/mod.ts';

const ANSWER_MS = 10_000;
const { commandLine } = parseProfile({}, 'test');

/** Where the firmware puts what it tells (`START_INFO` in firmware.S). The guest leaves it as it is. */
const START_INFO = 0x1000n;
const PVH_MAGIC = 0x336ec578;
const LOW_RAM = [0n, 0x9fc00n, 1n];
const MIB = 2n ** 20n;

async function memoryOf(machine: Machine, address: bigint, bytes: number): Promise<Buffer> {
  const answer = await qmpOf(machine)('human-monitor-command', { 'command-line': `xp /${bytes}xb ${address}` });
  const figures = String(answer).replaceAll(/^[0-9a-f]+:/gm, '');
  return Buffer.from([...figures.matchAll(/0x([0-9a-f]{2})/g)].map(([, figure = '']) => Number.parseInt(figure, 16)));
}

/** What the firmware has told the guest, in the words of PVH. */
async function toldBy(machine: Machine) {
  const info = await memoryOf(machine, START_INFO, 56);
  const memory = await memoryOf(machine, info.readBigUInt64LE(40), 24 * info.readUInt32LE(48));
  const [module] = await Promise.all(
    Array.from({ length: info.readUInt32LE(12) }, () => memoryOf(machine, info.readBigUInt64LE(16), 32)),
  );
  return {
    magic: info.readUInt32LE(0),
    version: info.readUInt32LE(4),
    modules: info.readUInt32LE(12),
    module: module && { address: module.readBigUInt64LE(0), bytes: module.readBigUInt64LE(8) },
    commandLine: (await memoryOf(machine, info.readBigUInt64LE(24), 200)).toString('latin1'),
    // Address, bytes and type of each range.
    memory: Array.from({ length: info.readUInt32LE(48) }, (_, at) => [
      memory.readBigUInt64LE(24 * at),
      memory.readBigUInt64LE(24 * at + 8),
      BigInt(memory.readUInt32LE(24 * at + 16)),
    ]),
  };
}

async function specWith(real: RealHypervisor, fields: object, more: Partial<MachineSpec>, initrd?: string) {
  const image = await inspectImage(GUEST_IMAGE, parseProfile(fields, 'test'), initrd);
  return real.spec({ ...specOfImage(image), ...more });
}

describe.each(usableAccelerators())('under %s', (accelerator) => {
  it.each([
    ['boots an image', {}, 16],
    // Each of these has 14 characters or more: with them it fills most of the 4 KiB that a guest reads.
    ['passes on a long command line', { commandLine: `${'{addr}'.repeat(175)} ${commandLine}` }, 16],
    ['boots an image in the least memory that it needs', {}, 7],
    // More than it tells of. The guest touches little of it.
    ['boots an image in 3 GiB', {}, 3 * 1024],
    ['boots an image in 5 GiB', {}, 5 * 1024],
    ['is that of QEMU for whoever wants it', { firmware: 'qemu' }, 16],
  ])('the firmware %s', async (_, fields, memoryMib) => {
    await using real = await realHypervisor();
    const { machine, client } = await started(real, await specWith(real, fields, { accelerator, memoryMib }));
    expect(await client.request('upper', 'text', ANSWER_MS)).toBe('TEXT');
    client.close();
    const args = readFileSync(`/proc/${machine.process.pid}/cmdline`, 'utf8').split('\0');
    expect(args.includes(FIRMWARE)).toBe(!('firmware' in fields));
  });

  it.each([
    [16, 15],
    [2 * 1024, 2_047],
    [3 * 1024, 3_071],
    // The lower half of this number of bytes alone would be 1 GiB.
    [5 * 1024, 3_071],
  ])('the firmware tells a guest of %i MiB of those below the first, and of %i above it', async (memoryMib, high) => {
    await using real = await realHypervisor();
    const { machine, client } = await started(real, await specWith(real, {}, { accelerator, memoryMib }));
    client.close();
    const told = await toldBy(machine);
    expect(told).toMatchObject({ magic: PVH_MAGIC, version: 1, modules: 0 });
    expect(told.memory).toEqual([LOW_RAM, [MIB, BigInt(high) * MIB, 1n]]);
    expect(told.commandLine).toMatch(/^shoal\.id=1 shoal\.bind=/);
  });

  it('the firmware puts the initial ramdisk where QEMU wants it, as the only module', async () => {
    await using real = await realHypervisor();
    const initrd = join(real.folder, 'initrd');
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251));
    writeFileSync(initrd, bytes);
    const { machine, client } = await started(real, await specWith(real, { initrd }, { accelerator }, initrd));
    client.close();
    const { modules, module } = await toldBy(machine);
    expect([modules, module?.bytes]).toEqual([1, 5_000n]);
    expect(await memoryOf(machine, module?.address ?? 0n, bytes.length)).toEqual(bytes);
  });
});
