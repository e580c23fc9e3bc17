import { expect, it } from 'vitest';
import type { Found, Hypervisor } from '../hypervisor/mod.ts';
import { endAll } from './probe.ts';

function running(vm: number): Found {
  // Nothing else of the manifest is looked at.
  return { kind: 'running', manifest: { spec: { vm }, process: { pid: vm } } } as Found;
}

it('of VMs that were tried the process ends before its directory goes; one that does not end keeps it', async () => {
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
