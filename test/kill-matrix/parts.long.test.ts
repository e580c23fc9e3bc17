import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { isAlive, signalProcess } from '../../src/process/mod.ts';
import { eventually } from '../driver/fleet.ts';
import { launcherOf, qemusOf, tagOf } from '../driver/processes.ts';
import { seed } from '../driver/seed.ts';
import { injectFaults, natsServerOf, oneOf, standStill, vmProcesses } from './rounds.ts';

test.each(['user', 'none'] as const)(
  `with network %s a QEMU is killed: it is replaced, and no request is lost (SHOAL_SEED=${seed})`,
  async (network) => {
    await injectFaults({
      // After repeated crashes VMs are started less often, so more rounds would mostly wait for the back-off.
      rounds: 8,
      network,
      inject: async ({ fleet, random }) => {
        const victim = oneOf(qemusOf(fleet), random);
        signalProcess(victim.identity, 'SIGKILL');
        await eventually('the VM is gone', async () => {
          const { vms } = await fleet.snapshot();
          return vms.some(({ id_vmachine }) => id_vmachine === victim.vm) ? undefined : true;
        });
      },
    });
  },
);

test.each(['user', 'none'] as const)(
  `with network %s a QEMU stands still: it is found out, ended and replaced, and no request is lost (SHOAL_SEED=${seed})`,
  async (network) => {
    await injectFaults({
      rounds: 2,
      network,
      inject: async ({ fleet, random }) => {
        const victim = oneOf(qemusOf(fleet), random);
        signalProcess(victim.identity, 'SIGSTOP');
        await eventually('the VM is gone', () => (isAlive(victim.identity) ? undefined : true));
      },
    });
  },
);

test.each(['user', 'none'] as const)(
  `with network %s the launcher is killed: no VM ends, every request is replied to, and others can be started (SHOAL_SEED=${seed})`,
  async (network) => {
    const sums = await injectFaults({
      rounds: 6,
      network,
      inject: async ({ fleet }) => {
        const before = vmProcesses(fleet);
        const launcher = launcherOf(fleet.up);
        if (launcher === undefined) throw new Error('the launcher runs');
        signalProcess(launcher, 'SIGKILL');
        // Shoal starts another launcher when it needs one.
        const scaled = await fleet.run('restart');
        expect(scaled).toMatchObject({ exitCode: 0 });
        await eventually('all VMs are others', () =>
          vmProcesses(fleet).some((vm) => before.includes(vm)) ? undefined : true,
        );
      },
    });
    expect(sums).toMatchObject({ refused: {}, unanswered: 0, replied: sums.sent });
  },
);

test(`nats-server is killed: it is back at the same place, and Shoal and its clients with it (SHOAL_SEED=${seed})`, async () => {
  await injectFaults({
    // Shoal gives up after one more restart within ten seconds.
    rounds: 5,
    inject: async ({ fleet, history }) => {
      const before = vmProcesses(fleet);
      const server = natsServerOf(fleet).identity;
      const isUp = history.outage();
      signalProcess(server, 'SIGKILL');
      await eventually('it is gone', () => (isAlive(server) ? undefined : true));
      await history.replies(20);
      isUp();
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
});

test(`nats-server stands still: everybody waits for it, and no VM ends (SHOAL_SEED=${seed})`, async () => {
  await injectFaults({
    rounds: 5,
    inject: async ({ fleet, history, random }) => {
      const before = vmProcesses(fleet);
      const isUp = history.outage();
      await standStill(natsServerOf(fleet).identity, 200 + random(2_500));
      await history.replies(20);
      isUp();
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
});

test(`the run directory of a VM is removed: it serves on, every request is replied to, and nothing is left (SHOAL_SEED=${seed})`, async () => {
  const sums = await injectFaults({
    rounds: 6,
    inject: async ({ fleet, history, random }) => {
      const before = vmProcesses(fleet);
      const victim = oneOf(qemusOf(fleet), random);
      rmSync(join(runtimeRoot(), tagOf(fleet.data), String(victim.vm)), { recursive: true, force: true });
      await history.replies(20);
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
  expect(sums).toMatchObject({ refused: {}, unanswered: 0, replied: sums.sent });
});
