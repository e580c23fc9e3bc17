import { expect, test } from 'vitest';
import { identify } from '../../src/process/mod.ts';
import { seed } from '../driver/seed.ts';
import { injectFaults, natsServerOf, type Run, standStill, uptimes, vmProcesses } from './rounds.ts';

/** Longer than the silence that ends a VM (`last_connect_ms`). */
const STILL_MS = 2_500;

test.each([
  ['user', 15],
  ['none', 8],
] as const)(
  `with network %s Shoal is killed: requests end as R11 says, its VMs and its nats-server are adopted as they are (SHOAL_SEED=${seed})`,
  async (network, rounds) => {
    const sums = await injectFaults({
      network,
      rounds,
      inject: async (run) => {
        const isUp = run.history.outage();
        const before = await uptimes(run.fleet);
        await run.fleet.kill();
        await comesBack(run, before);
        isUp();
      },
    });
    // Requests in a guest, and those after the restart, are answered: only a minority is not.
    expect(sums.replied).toBeGreaterThan(sums.sent / 2);
  },
);

test(`Shoal is killed again while it starts: whoever comes back adopts all the same (SHOAL_SEED=${seed})`, async () => {
  await injectFaults({
    rounds: 10,
    inject: async (run) => {
      const isUp = run.history.outage();
      const before = await uptimes(run.fleet);
      await run.fleet.kill();
      const second = run.fleet.startAgain();
      // pause: until a random moment of its start, which has no events
      await new Promise((resolve) => setTimeout(resolve, run.random(1_200)));
      second.signal('SIGKILL');
      await second.finished;
      await comesBack(run, before);
      isUp();
    },
  });
});

test(`Shoal stands still: silence of our own making ends no VM (SHOAL_SEED=${seed})`, async () => {
  await injectFaults({
    rounds: 5,
    inject: async ({ fleet, history }) => {
      const shoal = identify(fleet.up.pid);
      if (shoal === undefined) throw new Error('Shoal runs');
      const isUp = history.outage();
      const before = vmProcesses(fleet);
      await standStill(shoal, STILL_MS);
      await history.replies(20);
      isUp();
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
});

/** Starts another Shoal in place of the killed one, and checks that it adopts every VM that was ready. */
async function comesBack(run: Run, before: ReadonlyMap<number, number>): Promise<void> {
  const left = vmProcesses(run.fleet, (vm) => vm !== undefined && before.has(vm));
  expect(left).toHaveLength(before.size);
  const server = natsServerOf(run.fleet).identity;
  run.fleet = await run.fleet.resume();
  expect(vmProcesses(run.fleet)).toEqual(expect.arrayContaining(left));
  expect(natsServerOf(run.fleet).identity).toEqual(server);
  // A Shoal is ready with the minimum; it may still be adopting the other VMs.
  const { vms } = await run.fleet.until('all VMs are adopted', (now) => {
    const known = new Set(now.vms.map(({ id_vmachine }) => id_vmachine));
    return [...before.keys()].every((vm) => known.has(vm));
  });
  const after = new Map(vms.map(({ id_vmachine, uptime_ms }) => [id_vmachine, uptime_ms ?? Number.NaN]));
  for (const [vm, uptimeMs] of before) expect(after.get(vm), `uptime of VM ${vm}`).toBeGreaterThan(uptimeMs);
}
