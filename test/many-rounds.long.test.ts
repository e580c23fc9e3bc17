import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { signalProcess } from '../src/process/mod.ts';
import { eventually, randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { qemusOf } from './driver/processes.ts';

const TEST_IMAGE = fileURLToPath(new URL('../includeos/build/shoal-guest-test.elf', import.meta.url));
const NOTHING = { processes: [], runDirectories: [], ports: [] };

test('100 VMs, started and stopped while the fleet runs, leave nothing', async () => {
  const rounds = 25;
  const fleet = await TestFleet.start({ addresses: 5, flags: ['--set', 'free_count=100000'] });
  for (let round = 1; round <= rounds; round++) {
    expect(await fleet.run('scale', ['5'])).toMatchObject({ exitCode: 0 });
    await fleet.until('five VMs are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length === 5);
    expect(await fleet.run('scale', ['1'])).toMatchObject({ exitCode: 0 });
    await fleet.until('four addresses are free', ({ addresses_free }) => addresses_free === 4);
    const { processes, runDirectories, ports } = leftovers(fleet);
    // One VM and the nats-server.
    expect([processes.length, runDirectories.length, ports.length], `after round ${round}`).toEqual([2, 1, 1]);
  }
  const events = await fleet.events();
  expect(events.filter(({ kind, error }) => error !== undefined || kind === 'warning')).toEqual([]);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual(NOTHING);
});

test('100 crashes, by panic, by triple fault and by a killed QEMU, leave nothing', async () => {
  const rounds = 10;
  const vms = 10;
  const data = temporaryFolder();
  const pool = randomPool(vms);
  // Each round has a Shoal of its own, because one that sees so many crashes in a row starts others less and less often.
  for (let round = 0; round < rounds; round++) {
    const flags = ['--min', String(vms), '--image', TEST_IMAGE];
    const fleet = await TestFleet.start({ data, pool, flags });
    await fleet.until('all VMs are ready', (now) => now.vms.filter(({ state }) => state === 'ready').length === vms);
    const first = qemusOf(fleet);
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    const ways = ['panic', 'reset'].flatMap((way) => [way, way, way]);
    const crashing = ways.map((way) => client.request(way, { op: 'crash', retry: false }));
    for (const outcome of await Promise.allSettled(crashing)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'REQUEST_VM_FAILED' } });
    }
    for (const { identity } of first) signalProcess(identity, 'SIGKILL');
    await eventually('all of them are gone, and what they had', async () => {
      const { vms: now } = await fleet.snapshot();
      const ids = new Set(now.map(({ id_vmachine }) => id_vmachine));
      return first.some(({ vm }) => vm !== undefined && ids.has(vm)) ? undefined : true;
    });
    const gone = (await fleet.events()).filter(({ kind }) => kind === 'vm-gone');
    expect(gone.length).toBeGreaterThanOrEqual(vms);
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet), `after round ${round}`).toEqual(NOTHING);
  }
  rmSync(data, { recursive: true });
});
