import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/client/mod.ts';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { qemusOf, sharedAddresses, tagOf } from '../driver/processes.ts';

/** Silence, and what follows from it, shows soon. */
const FLAGS = ['--min', '2', '--set', 'status_interval_ms=200', '--set', 'last_connect_ms=1500'];
/** Longer than a silent VM lives. */
const REQUESTS = 40;
const BETWEEN_REQUESTS_MS = 100;

test('VMs whose run directories are removed serve on, and a stop leaves nothing behind', async () => {
  const fleet = await withoutRunDirectories();
  const before = running(fleet);
  const client = await connect({ servers: fleet.ready.nats });
  const shared: string[] = [];
  for (let request = 0; request < REQUESTS; request++) {
    expect(await client.request(`text ${request}`)).toMatchObject({ text: `TEXT ${request}` });
    shared.push(...sharedAddresses(fleet));
    // pause: until the next look
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_REQUESTS_MS));
  }
  await client.close();
  expect(shared, 'addresses on two VMs').toEqual([]);
  expect(running(fleet)).toEqual(before);
  expect(await addressesOf(fleet)).toEqual(before);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('the next Shoal, which cannot adopt them, says so, ends them and has others', async () => {
  const first = await withoutRunDirectories();
  await first.kill();
  const fleet = await first.resume();
  await eventually('the VMs that Shoal knows are those that run', async () => {
    const known = await addressesOf(fleet);
    return known.length >= 2 && known.join() === running(fleet).join() ? true : undefined;
  });
  const events = (await fleet.events()).map(({ text }) => text);
  expect(events.filter((text) => /removed its run directory/.test(text))).toHaveLength(2);
  expect(await fleet.run('send', ['x'])).toMatchObject({ stdout: 'X\n', exitCode: 0 });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

async function withoutRunDirectories(): Promise<TestFleet> {
  const fleet = await TestFleet.start({ flags: FLAGS });
  await fleet.until('both are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length === 2);
  const root = join(runtimeRoot(), tagOf(fleet.data));
  for (const vm of readdirSync(root)) rmSync(join(root, vm), { recursive: true });
  return fleet;
}

async function addressesOf(fleet: TestFleet): Promise<string[]> {
  return (await fleet.snapshot()).vms.map(({ address }) => address).toSorted();
}

/** Addresses of the QEMU processes. */
function running(fleet: TestFleet): string[] {
  return qemusOf(fleet)
    .flatMap(({ address }) => address ?? [])
    .toSorted();
}
