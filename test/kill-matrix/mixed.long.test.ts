import { expect, test } from 'vitest';
import { askFleet } from '../../src/app/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { SHARD_FAULTS } from '../../src/shards/mod.ts';
import { launcherOf, qemusOf } from '../driver/processes.ts';
import { seed } from '../driver/seed.ts';
import { natsServerOf, oneOf, play, type Rounds, standStill } from './rounds.ts';

/** Faults of each part, all of them within moments of each other. A part that is just gone is left alone. */
const FAULTS: readonly ((run: Rounds) => Promise<void> | void)[] = [
  killVm,
  ({ fleet }) => {
    const launcher = launcherOf(fleet.up);
    if (launcher !== undefined) signalProcess(launcher, 'SIGKILL');
  },
  harmWorker,
  ({ fleet, random }) => standStill(natsServerOf(fleet).identity, random(500)),
  // Nobody sees the end of a VM that is killed together with Shoal.
  async (run) => {
    killVm(run);
    await run.fleet.kill();
    run.fleet = await run.fleet.resume();
  },
];

/** Does nothing without shards. */
async function harmWorker({ fleet, random }: Rounds): Promise<void> {
  const { nats: servers, fleet: name } = fleet.ready;
  const fault = oneOf(SHARD_FAULTS, random);
  await askFleet({ servers, fleet: name }, 'shard-fault', { shard: 0, fault }).catch(() => undefined);
}

function killVm({ fleet, random }: Rounds): void {
  const vms = qemusOf(fleet);
  if (vms.length > 0) signalProcess(oneOf(vms, random).identity, 'SIGKILL');
}

test(`several faults at a time, to any of the parts (SHOAL_SEED=${seed})`, async () => {
  const { sent, replied } = await play({
    rounds: 12,
    once: async (run) => {
      const isUp = run.ledger.outage();
      for (let faults = 1 + run.random(2); faults > 0; faults--) await oneOf(FAULTS, run.random)(run);
      await run.ledger.replies(10);
      isUp();
    },
  });
  expect(replied).toBeGreaterThan(sent / 2);
});
