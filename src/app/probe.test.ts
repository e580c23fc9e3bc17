import { expect, test } from 'vitest';
import type { Found, Hypervisor } from '../hypervisor/mod.ts';
import { endAll } from './probe.ts';

test('what is left of VMs that were tried is ended, also if somebody has removed its run directory', async () => {
  const process = { pid: 7, startTicks: 1, bootId: 'b' };
  // Of a manifest nothing else is read.
  const manifest = { spec: { vm: 1 }, process } as Extract<Found, { kind: 'running' }>['manifest'];
  const found: readonly Found[] = [
    { kind: 'running', manifest },
    { kind: 'gone', vm: 2 },
    { kind: 'orphan', vm: 3, directory: '/run/3', process },
    { kind: 'unknown', vm: 4, directory: '/run/4', why: 'it does not answer' },
  ];
  const [ended, discarded]: [unknown[], number[]] = [[], []];
  const used: Pick<Hypervisor, 'list' | 'end' | 'discard'> = {
    list: async () => found,
    end: async (one: unknown) => ended.push(one) > 0,
    discard: async (vm: number) => void discarded.push(vm),
  };
  // It needs no other part of the port.
  await endAll(used as Hypervisor);
  expect([ended, discarded]).toEqual([
    [process, process],
    [1, 2, 3],
  ]);
});

function running(vm: number): Found {
  // Nothing else of the manifest is looked at.
  return { kind: 'running', manifest: { spec: { vm }, process: { pid: vm } } } as Found;
}

test('of VMs that were tried the process ends before its directory goes; one that does not end keeps it', async () => {
  const done: string[] = [];
  const hypervisor: Pick<Hypervisor, 'list' | 'end' | 'discard'> = {
    list: async () => [
      running(1),
      running(2),
      // Nothing else of it is looked at.
      { kind: 'gone', vm: 3 } as Found,
      { kind: 'unknown', directory: '/run/4', vm: 4, why: 'it does not answer' },
    ],
    end: async ({ pid }) => {
      done.push(`end ${pid}`);
      return pid !== 2;
    },
    discard: async (vm) => void done.push(`discard ${vm}`),
  };
  // Nothing else of it is used.
  await endAll(hypervisor as Hypervisor);
  expect(done).toEqual(['end 1', 'discard 1', 'end 2', 'discard 3']);
});
