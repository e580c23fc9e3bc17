/** R10 with real VMs: commands go through guests, and a guest can neither make nor repeat one. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import type { FleetEvent } from '../src/fleet/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';

const TEST_IMAGE = fileURLToPath(new URL('../includeos/build/shoal-guest-test.elf', import.meta.url));
const RELAY = ['--control', 'relay', '--set', 'status_interval_ms=200', '--set', 'free_count=3'];

/** The texts of the events of R10, without those that tell of a refused line. */
function ways(events: readonly FleetEvent[]): string[] {
  return events.flatMap(({ kind, text }) => (kind === 'vm-relay' ? [text] : []));
}

test('R10: VMs start and stop by commands that guests relay, and the first one starts by itself', async () => {
  await using fleet = await TestFleet.start({ addresses: 4, flags: RELAY });
  expect(ways(await fleet.events())).toEqual([]);
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
  const slow = Array.from({ length: 3 }, () => client.request('1500', { op: 'spin' }));
  for (const request of slow) expect((await request).text).toBe('spun 1500');
  await fleet.until('only the minimum is left', ({ addresses_free }) => addresses_free === 3);
  const events = await fleet.events();
  expect(events.filter(({ kind }) => kind === 'warning')).toEqual([]);
  const told = ways(events);
  for (const vm of [2, 3]) {
    expect(told.some((text) => text.startsWith(`the start command for VM ${vm} goes through VM `))).toBe(true);
  }
  expect(told.filter((text) => text.includes('stop command') && text.includes('goes through that VM'))).toHaveLength(2);
  expect(told.filter((text) => text.includes('did not relay'))).toEqual([]);
});

test('R10: lines that a guest forges, changes or repeats do nothing and are reported', async () => {
  const flags = [...RELAY, '--image', TEST_IMAGE, '--set', 'min_vm_count=1', '--set', 'free_count=1000'];
  await using fleet = await TestFleet.start({ addresses: 4, flags });
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
  const slow = Array.from({ length: 2 }, () => client.request('1000', { op: 'spin' }));
  for (const request of slow) expect((await request).text).toBe('spun 1000');
  const before = qemusOf(fleet).map(({ vm }) => vm);
  expect(before).toEqual([1, 2]);
  const [line] = consolesOf(fleet).flatMap((text) => /shoal1 (relay start vm=2 .*)/.exec(text)?.[1] ?? []);
  if (line === undefined) throw new Error('no console has the command');
  // Each VM is told of once in a while only: the first line of each decides its event.
  await client.request(`shoal1 ${line.replace('start vm=2', 'stop vm=1')}`, { op: 'say' });
  const warnings = async (): Promise<FleetEvent[]> =>
    (await fleet.events()).filter(({ kind, rule }) => kind === 'warning' && rule === 'R10');
  const first = await eventually('the changed line is reported', async () => {
    const [found] = await warnings();
    return found;
  });
  expect(first.text).toContain('refused as changed');
  for (let n = 0; n < 20; n++) await client.request(`shoal1 ${line}`, { op: 'say' });
  await client.request('shoal1 relay stop vm=1', { op: 'say' });
  await client.request('upper');
  expect(qemusOf(fleet).map(({ vm }) => vm)).toEqual(before);
  expect((await warnings()).length).toBeLessThanOrEqual(2);
});

test('R10: a Shoal that is killed while commands are on their way goes on with a sound fleet', async () => {
  const fleet = await TestFleet.start({ addresses: 4, flags: RELAY });
  const client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
  const slow = Array.from({ length: 4 }, () => client.request('1000', { op: 'spin' }).catch(() => undefined));
  await eventually('a command is on its way', async () => ways(await fleet.events())[0]);
  await fleet.kill();
  await using next = await fleet.resume();
  await Promise.all(slow);
  await client[Symbol.asyncDispose]();
  const idle = await next.until('only the minimum is left', ({ addresses_free }) => addresses_free === 3);
  expect(idle.vms.map(({ state }) => state)).toEqual(['ready']);
  expect(qemusOf(next).map(({ address }) => address)).toEqual(idle.vms.map(({ address }) => address));
});

/** What the guests of a fleet have printed. */
function consolesOf(fleet: TestFleet): string[] {
  return qemusOf(fleet).map(({ commandLine }) => {
    const path = /[^ =,]+\/console\.log/.exec(commandLine)?.[0];
    return path === undefined ? '' : readFileSync(path, 'latin1');
  });
}
