import { expect, test } from 'vitest';
import { askFleet } from '../../src/app/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { MISHAPS as OF_A_WORKER } from '../../src/shards/mod.ts';
import { launcherOf, qemusOf } from '../driver/processes.ts';
import { seed } from '../driver/seed.ts';
import { natsServerOf, oneOf, play, type Rounds, standStill } from './rounds.ts';

/** Each part in its own way, all of them within moments of each other; a part that is just gone is left alone. */
const MISHAPS: readonly ((it: Rounds) => Promise<void> | void)[] = [
  killVm,
  ({ fleet }) => {
    const launcher = launcherOf(fleet.up);
    if (launcher !== undefined) signalProcess(launcher, 'SIGKILL');
  },
  harmWorker,
  ({ fleet, random }) => standStill(natsServerOf(fleet).identity, random(500)),
  // The VM that is killed with it has nobody who would see its end.
  async (it) => {
    killVm(it);
    await it.fleet.kill();
    it.fleet = await it.fleet.resume();
  },
];

/** Without shards there is none that could be harmed. */
async function harmWorker({ fleet, random }: Rounds): Promise<void> {
  const { nats: servers, fleet: name } = fleet.ready;
  const how = oneOf(OF_A_WORKER, random);
  await askFleet({ servers, fleet: name }, 'shard-mishap', { shard: 0, how }).catch(() => undefined);
}

function killVm({ fleet, random }: Rounds): void {
  const vms = qemusOf(fleet);
  if (vms.length > 0) signalProcess(oneOf(vms, random).identity, 'SIGKILL');
}

test(`several mishaps at a time, to any of the parts (SHOAL_SEED=${seed})`, async () => {
  const { sent, replied } = await play({
    rounds: 12,
    once: async (it) => {
      const isUp = it.ledger.outage();
      for (let mishaps = 1 + it.random(2); mishaps > 0; mishaps--) await oneOf(MISHAPS, it.random)(it);
      await it.ledger.replies(10);
      isUp();
    },
  });
  expect(replied).toBeGreaterThan(sent / 2);
});
