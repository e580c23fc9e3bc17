/**
 * Caps on a real kernel. Many machines have no usable cgroup v2, such as containers and hosts with cgroup v1, so this test boots a Linux of its
 * own and runs Shoal with real VMs in it. The scenario is in `inside/`; this file checks its findings.
 */
import { afterAll, expect, test } from 'vitest';
import type { CapsSeen, Facts } from './facts.ts';
import { LinuxMachine } from './linux-machine.ts';

const MIB = 1024 * 1024;
const CAPS = { holdsOnlyQemu: true, memoryMax: String((16 + 96) * MIB), swapMax: '0', cpuMax: '150000 100000' };
/** The CPU time that a group may use in one period. */
const CPU_MS_A_PERIOD = 150;
/** The kernel first grants this much more, and takes it back later. */
const CPU_MS_IN_ADVANCE = 1_000;

let booted: LinuxMachine | undefined;
afterAll(() => booted?.[Symbol.asyncDispose]());

/** Booted by the first test: if it cannot boot, each test fails, whereas a failed hook would skip them. */
function fact<Name extends keyof Facts>(name: Name): Promise<Facts[Name]> {
  booted ??= LinuxMachine.boot();
  return booted.fact(name);
}

test('a VM of a real fleet runs in a group of its own with its caps, and answers; doctor says that there are caps', async () => {
  const { doctor, caps, reply } = await fact('placed');
  expect(caps).toEqual({ ...CAPS, vm: 1, group: groupOf(caps, /^\/sys\/fs\/cgroup\/shoal-[0-9a-f]{8}\/vm-1$/) });
  expect(doctor).toMatchObject({ state: 'ok', found: expect.stringContaining('one and a half cores') });
  expect(reply).toBe('PLACED');
});

test('what computes without end in there is held at one and a half cores, and the VM still answers', async () => {
  const { periods, throttledPeriods, cpuMs, reply } = await fact('busy');
  expect(throttledPeriods).toBeGreaterThan(0);
  expect(cpuMs).toBeLessThan(periods * CPU_MS_A_PERIOD + CPU_MS_IN_ADVANCE);
  expect(reply).toBe('BUSY');
});

test('what takes more memory than the cap is ended by the kernel, and the VM lives on', async () => {
  expect(await fact('greedy')).toEqual({ endedBy: 'SIGKILL', killsInGroup: 1, vms: [1], reply: 'GREEDY' });
});

test('a VM that needs more than its cap is ended by the kernel, which is told, and another takes its place under the same caps', async () => {
  const { kills, leftGroups, event, caps, reply } = await fact('replaced');
  expect({ kills, leftGroups, reply }).toEqual({ kills: 1, leftGroups: [], reply: 'REPLACED' });
  expect(event).toContain('killed by SIGKILL');
  expect(caps).toMatchObject({ ...CAPS, vm: 2 });
});

test('the groups of the VMs and of the fleet go with it', async () => {
  expect(await fact('stopped')).toEqual({ exitCode: 0, leftGroups: [] });
});

test('a QEMU that grows beyond its cap is ended rather than swapped, also in a part of the hierarchy that was handed to us', async () => {
  const { caps, swapBytes, ...outcome } = await fact('grown');
  expect(caps).toEqual({ ...CAPS, vm: 1, group: '/sys/fs/cgroup/handed/shoal-t/vm-1' });
  expect(swapBytes).toBeGreaterThan(64 * MIB);
  expect(outcome).toEqual({ endedBy: 'SIGKILL', kills: 1, leftGroups: [] });
});

test('where the kernel hands on no controllers a VM runs without caps, and it is said why', async () => {
  const { why, group, leftGroups } = await fact('bare');
  expect(why).toContain('does not hand on cpu and memory');
  expect({ group, leftGroups }).toEqual({ group: '/sys/fs/cgroup/', leftGroups: [] });
});

function groupOf({ group }: CapsSeen, pattern: RegExp): unknown {
  expect(group).toMatch(pattern);
  return group;
}
