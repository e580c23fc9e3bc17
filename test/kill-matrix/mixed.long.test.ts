import { expect, test } from 'vitest';
import { askFleet } from '../../src/app/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { SHARD_FAULTS as WORKER_FAULTS } from '../../src/shards/mod.ts';
import { launcherOf, qemusOf } from '../driver/processes.ts';
import { seed } from '../driver/seed.ts';
import { injectFaults, natsServerOf, oneOf, type Run, standStill } from './rounds.ts';

/** A fault of each part. A part that has just gone is left alone. */
const FAULTS: readonly ((run: Run) => Promise<void> | void)[] = [
  killVm,
  ({ fleet }) => {
    const launcher = launcherOf(fleet.up);
    if (launcher !== undefined) signalProcess(launcher, 'SIGKILL');
  },
  harmWorker,
  ({ fleet, random }) => standStill(natsServerOf(fleet).identity, random(500)),
  // Shoal cannot see the end of the VM that is killed with it.
  async (run) => {
    killVm(run);
    await run.fleet.kill();
    run.fleet = await run.fleet.resume();
  },
];

/** Does nothing if Shoal runs without shards. */
async function harmWorker({ fleet, random }: Run): Promise<void> {
  const { nats: servers, fleet: name } = fleet.ready;
  const how = oneOf(WORKER_FAULTS, random);
  await askFleet({ servers, fleet: name }, 'shard-fault', { shard: 0, fault: how }).catch(() => undefined);
}

function killVm({ fleet, random }: Run): void {
  const vms = qemusOf(fleet);
  if (vms.length > 0) signalProcess(oneOf(vms, random).identity, 'SIGKILL');
}

test(`several faults at a time, to any of the parts (SHOAL_SEED=${seed})`, async () => {
  const { sent, replied } = await injectFaults({
    rounds: 12,
    inject: async (run) => {
      const isUp = run.history.outage();
      for (let faults = 1 + run.random(2); faults > 0; faults--) await oneOf(FAULTS, run.random)(run);
      await run.history.replies(10);
      isUp();
    },
  });
  expect(replied).toBeGreaterThan(sent / 2);
});
