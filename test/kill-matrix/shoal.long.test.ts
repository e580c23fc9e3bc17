import { expect, test } from 'vitest';
import { identify } from '../../src/process/mod.ts';
import { seed } from '../driver/seed.ts';
import { natsServerOf, play, type Rounds, standStill, uptimes, vmProcesses } from './rounds.ts';

/** Longer than silence that ends a VM (`last_connect_ms`). */
const STILL_MS = 2_500;

test(`Shoal is killed: requests end as R11 says, its VMs and its nats-server are adopted as they are (SHOAL_SEED=${seed})`, async () => {
  const sums = await play({
    rounds: 15,
    once: async (it) => {
      const isUp = it.ledger.outage();
      const before = await uptimes(it.fleet);
      await it.fleet.kill();
      await comesBack(it, before);
      isUp();
    },
  });
  // A request that was in a guest, or came when Shoal was back, is answered: it is a minority that is not.
  expect(sums.replied).toBeGreaterThan(sums.sent / 2);
});

test(`Shoal is killed again while it starts: whoever comes back adopts all the same (SHOAL_SEED=${seed})`, async () => {
  await play({
    rounds: 10,
    once: async (it) => {
      const isUp = it.ledger.outage();
      const before = await uptimes(it.fleet);
      await it.fleet.kill();
      const second = it.fleet.startAgain();
      // pause: a random moment of its start, which has no events that could be named
      await new Promise((resolve) => setTimeout(resolve, it.random(1_200)));
      second.signal('SIGKILL');
      await second.finished;
      await comesBack(it, before);
      isUp();
    },
  });
});

test(`Shoal stands still: silence of our own making ends no VM (SHOAL_SEED=${seed})`, async () => {
  await play({
    rounds: 5,
    once: async ({ fleet, ledger }) => {
      const shoal = identify(fleet.up.pid);
      if (shoal === undefined) throw new Error('Shoal runs');
      const isUp = ledger.outage();
      const before = vmProcesses(fleet);
      await standStill(shoal, STILL_MS);
      await ledger.replies(20);
      isUp();
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
});

/** Another Shoal takes the place of the one that was killed, and has every VM that was ready. */
async function comesBack(it: Rounds, before: ReadonlyMap<number, number>): Promise<void> {
  const left = vmProcesses(it.fleet, (vm) => vm !== undefined && before.has(vm));
  expect(left).toHaveLength(before.size);
  const server = natsServerOf(it.fleet).identity;
  it.fleet = await it.fleet.resume();
  expect(vmProcesses(it.fleet)).toEqual(expect.arrayContaining(left));
  expect(natsServerOf(it.fleet).identity).toEqual(server);
  // Ready is who has the minimum; the others may still be on their way.
  const { vms } = await it.fleet.until('all VMs are adopted', (now) => {
    const known = new Set(now.vms.map(({ id_vmachine }) => id_vmachine));
    return [...before.keys()].every((vm) => known.has(vm));
  });
  const after = new Map(vms.map(({ id_vmachine, uptime_ms }) => [id_vmachine, uptime_ms ?? Number.NaN]));
  for (const [vm, uptimeMs] of before) expect(after.get(vm), `uptime of VM ${vm}`).toBeGreaterThan(uptimeMs);
}
