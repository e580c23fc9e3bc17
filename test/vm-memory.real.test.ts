/** `vm_memory_bytes`: what VMs have, what is refused, and what becomes of VMs of another size. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetSnapshot } from '../src/fleet/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';
import { shoal } from './driver/shoal-process.ts';

const MIB = 2 ** 20;

/** What QEMU was started with, by the number of its VM. */
function mibOf(fleet: TestFleet): Readonly<Record<number, string | undefined>> {
  const argvOf = (pid: number): readonly string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const entries = qemusOf(fleet).map(({ vm, identity }) => {
    const argv = argvOf(identity.pid);
    return [vm, argv[argv.indexOf('-m') + 1]] as const;
  });
  return Object.fromEntries(entries);
}

const memoryOf = ({ vms }: FleetSnapshot, isSpare: boolean): readonly (number | null)[] =>
  vms.filter(({ state }) => state === (isSpare ? 'prepared' : 'ready')).map(({ memory_mib }) => memory_mib);

test('VMs have the memory of the parameter; those that run keep theirs, spares are replaced', async () => {
  const flags = ['--min', '1', '--set', `vm_memory_bytes=${32 * MIB}`, '--set', 'spare_vm_count=1'];
  await using fleet = await TestFleet.start({ flags });
  const first = await fleet.until('there is a spare', (now) => memoryOf(now, true).length === 1);
  expect([memoryOf(first, false), memoryOf(first, true)]).toEqual([[32], [32]]);
  expect(Object.values(mibOf(fleet))).toEqual(['32', '32']);
  const vm = first.vms.find(({ state }) => state === 'ready')?.id_vmachine;
  expect(await fleet.json('inspect', [String(vm)])).toMatchObject({ memory_mib: 32 });
  expect((await fleet.run('ps')).stdout).toContain(' 32 MiB ');

  const set = await fleet.run('params', ['set', `vm_memory_bytes=${24 * MIB}`]);
  expect(set).toMatchObject({ exitCode: 0, stderr: '' });
  const second = await fleet.until('the spare is another', (now) => memoryOf(now, true)[0] === 24);
  expect(memoryOf(second, false)).toEqual([32]);
  await fleet.run('restart');
  await fleet.until('the VM is another', (now) => memoryOf(now, false).join() === '24');

  const little = await fleet.run('params', ['set', `vm_memory_bytes=${6 * MIB}`]);
  expect(little).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`at least ${7 * MIB} (7 MiB)`) });
  const odd = await fleet.run('params', ['set', 'vm_memory_bytes=9000000']);
  expect(odd).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('the next ones are 8388608 and 9437184') });
  expect(await fleet.json('params', ['get', 'vm_memory_bytes'])).toEqual({ vm_memory_bytes: 24 * MIB });

  await fleet.run('params', ['set', 'vm_memory_bytes=0']);
  await fleet.until('the spare is as its image says', (now) => memoryOf(now, true)[0] === 16);
});

test('the built-in image runs with the least that Shoal lets it have', async () => {
  await using fleet = await TestFleet.start({ flags: ['--set', `vm_memory_bytes=${7 * MIB}`] });
  expect(await fleet.run('send', ['x'.repeat(100_000)])).toMatchObject({ stdout: `${'X'.repeat(100_000)}\n` });
});

test.each([1_100, 3_000, 3_500])(
  'a service, which QEMU puts at the end of the RAM, is found in %d MiB',
  async (mib) => {
    const folder = temporaryFolder();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'twice.ts');
    writeFileSync(file, 'export default { twice: (text: string) => text + text };\n');
    const flags = ['--service', file, '--set', `vm_memory_bytes=${mib * MIB}`];
    await using fleet = await TestFleet.start({ flags });
    expect(await fleet.run('send', ['ab'])).toMatchObject({ stdout: 'abab\n' });
  },
);

test('a start with less than the image needs is refused before a VM is started', async () => {
  const args = ['up', '--data', temporaryFolder(), '--set', `vm_memory_bytes=${6 * MIB}`];
  const { stderr, exitCode } = await shoal(args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/Expected vm_memory_bytes to be at least 7340032 \(7 MiB\), which the image .* needs/);
});

test('a guest that finds too little memory ends, and what helps is said', async () => {
  const args = ['up', '--data', temporaryFolder(), '--set', `vm_memory_bytes=${6 * MIB}`];
  const { stderr, exitCode } = await shoal([...args, '--profile-set', 'memoryMinMib=1']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/too-little-memory\); raise vm_memory_bytes, or `memoryMib` of its profile/);
});
