import { expect, test } from 'vitest';
import { askFleet } from '../../src/app/mod.ts';
import { SHARD_FAULTS, type ShardStats } from '../../src/shards/mod.ts';
import { eventually, type TestFleet } from '../driver/fleet.ts';
import { seed } from '../driver/seed.ts';
import { injectFaults, oneOf, type Run, vmProcesses } from './rounds.ts';

const SHARDS = 2;

test(`a worker is lost, in any way: its VMs go on, and every request is replied to (SHOAL_SEED=${seed})`, async () => {
  const sums = await injectFaults({
    rounds: 12,
    flags: ['--shards', String(SHARDS)],
    inject: async ({ fleet, random }) => {
      const before = await settled(fleet);
      const shard = random(SHARDS);
      const lost = (await statsOf(fleet))[shard]?.lost ?? 0;
      await injectFault(fleet, shard, oneOf(SHARD_FAULTS, random));
      await eventually('a fresh thread is in its place', async () => {
        const now = (await statsOf(fleet))[shard];
        return now?.state === 'up' && now.lost > lost ? true : undefined;
      });
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
  expect(sums).toMatchObject({ refused: {}, unanswered: 0, replied: sums.sent });
});

test(`the only worker is lost, again and again: its VMs go on all the same (SHOAL_SEED=${seed})`, async () => {
  const sums = await injectFaults({
    rounds: 6,
    flags: ['--shards', '1'],
    inject: async ({ fleet }) => {
      const before = await settled(fleet);
      const lost = (await statsOf(fleet))[0]?.lost ?? 0;
      await injectFault(fleet, 0, 'exit');
      await eventually('a fresh thread is in its place', async () => {
        const [now] = await statsOf(fleet);
        return now?.state === 'up' && now.lost > lost ? true : undefined;
      });
      expect(vmProcesses(fleet)).toEqual(expect.arrayContaining(before));
    },
  });
  expect(sums).toMatchObject({ refused: {}, unanswered: 0, replied: sums.sent });
});

test(`Shoal is killed in the moment in which it loses a worker: whoever comes back adopts all the same (SHOAL_SEED=${seed})`, async () => {
  await injectFaults({
    rounds: 5,
    flags: ['--shards', String(SHARDS)],
    inject: async (run: Run) => {
      const isUp = run.history.outage();
      const before = await settled(run.fleet);
      await injectFault(run.fleet, run.random(SHARDS), 'exit');
      await run.fleet.kill();
      run.fleet = await run.fleet.resume();
      expect(vmProcesses(run.fleet)).toEqual(expect.arrayContaining(before));
      isUp();
    },
  });
});

/** The processes of the VMs once all are ready, since a VM in preparation may be given up. */
async function settled(fleet: TestFleet): Promise<string[]> {
  await fleet.until('all VMs are ready', ({ vms }) => vms.every(({ state }) => state === 'ready'));
  return vmProcesses(fleet);
}

function injectFault({ ready }: TestFleet, shard: number, how: string): Promise<unknown> {
  return askFleet({ servers: ready.nats, fleet: ready.fleet }, 'shard-fault', { shard, fault: how });
}

function statsOf({ ready }: TestFleet): Promise<readonly ShardStats[]> {
  return askFleet({ servers: ready.nats, fleet: ready.fleet }, 'shards', {});
}
