import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/client/mod.ts';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { qemusOf, sharedAddresses, tagOf } from '../driver/processes.ts';

// Issue 9, 26: the run directory removed under a running fleet left QEMUs behind, and their addresses were called free.

/** So that silence, and what follows from it, shows soon. */
const FLAGS = ['--min', '2', '--set', 'status_interval_ms=200', '--set', 'last_connect_ms=1500'];

test('run directories that are removed under a running fleet cost no request, leave no VM behind, and are told', async () => {
  const fleet = await TestFleet.start({ flags: FLAGS });
  await fleet.until('both are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length === 2);
  const root = join(runtimeRoot(), tagOf(fleet.data));
  for (const vm of readdirSync(root)) rmSync(join(root, vm), { recursive: true });

  const shared: string[] = [];
  const client = await connect({ servers: fleet.ready.nats });
  // Until each VM has been silent for longer than the rules allow, and what follows from that is done.
  const looks = Array.from({ length: 40 });
  for (const [look] of looks.entries()) {
    expect(await client.request(`text ${look}`)).toMatchObject({ text: `TEXT ${look}` });
    shared.push(...sharedAddresses(fleet));
    // pause: until the next look
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await client.close();
  expect(shared, 'addresses on two VMs').toEqual([]);

  // Whatever became of the two: each QEMU that runs is a VM of the fleet, at its address, and no address of one is called free.
  await eventually('what Shoal says is what runs', async () => {
    const { vms } = await fleet.snapshot();
    const told = vms.map(({ address }) => address).toSorted();
    const running = qemusOf(fleet).flatMap(({ address }) => address ?? []);
    return told.join() === running.toSorted().join() && told.length >= 2 ? true : undefined;
  });
  const events = (await fleet.events()).map(({ text }) => text);
  expect(events.filter((text) => /run director/.test(text))).not.toEqual([]);

  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});
