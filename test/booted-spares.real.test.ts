/** Spares that have booted, and stand still until they are wanted. */
import { expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import type { FleetSnapshot } from '../src/fleet/mod.ts';
import { TestFleet } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';

const BOOTED = ['--min', '1', '--set', 'spare_state=booted', '--set', 'spare_vm_count=1'];
const STANDS_STILL = /VM (\d+), a spare, has booted and stands still/;

function spareOf({ vms }: FleetSnapshot): number | undefined {
  return vms.find(({ state }) => state === 'prepared')?.id_vmachine;
}

/** The spare that stands still, once there is one beside those in `others`. */
async function bootedSpare(fleet: TestFleet, others: readonly number[] = []): Promise<number> {
  const seen = new Set<number>();
  await fleet.until('a VM serves', ({ vms }) => vms.some(({ state }) => state === 'ready'));
  for (;;) {
    for (const { text } of await fleet.events()) seen.add(Number(STANDS_STILL.exec(text)?.[1]));
    const spare = spareOf(await fleet.snapshot());
    if (spare !== undefined && seen.has(spare) && !others.includes(spare)) return spare;
    // pause: until the next look, and the runner ends a test that takes too long
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pidOf(fleet: TestFleet, vm: number): number {
  const pid = qemusOf(fleet).find((one) => one.vm === vm)?.identity.pid;
  if (pid === undefined) throw new Error(`VM ${vm} runs`);
  return pid;
}

for (const network of ['user', 'none'] as const) {
  test(`a booted spare stands still, is taken first, and answers (network ${network})`, async () => {
    await using fleet = await TestFleet.start({ network, flags: BOOTED });
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
    const spare = await bootedSpare(fleet);
    const replies = await Promise.all(Array.from({ length: 2 }, () => client.request('1000', { op: 'spin' })));
    expect(replies.map(({ text }) => text)).toEqual(['spun 1000', 'spun 1000']);
    expect(replies.map(({ vm }) => vm)).toContain(spare);
    // It reports as others do, and no silence from before counts.
    await fleet.until('it has reported', ({ vms }) =>
      vms.some(({ id_vmachine, ram }) => id_vmachine === spare && ram !== null),
    );
    expect((await client.request('still here')).text).toBe('STILL HERE');
    expect((await fleet.events()).filter(({ kind }) => kind === 'vm-gone')).toEqual([]);
    // Another one takes its place.
    await bootedSpare(fleet, [spare]);
  });

  test(`a booted spare outlives a kill of Shoal, and serves the next one (network ${network})`, async () => {
    const first = await TestFleet.start({ network, flags: BOOTED });
    const spare = await bootedSpare(first);
    const pid = pidOf(first, spare);
    await first.kill();
    await using fleet = await first.resume();
    await fleet.until('it is adopted as a spare', (snapshot) => spareOf(snapshot) === spare);
    expect(pidOf(fleet, spare)).toBe(pid);
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
    const replies = await Promise.all(Array.from({ length: 2 }, () => client.request('1000', { op: 'spin' })));
    expect(replies.map(({ vm }) => vm)).toContain(spare);
    const adopted = (await fleet.events()).filter(({ kind, vm }) => kind === 'vm-booting' && vm === spare);
    // It went on from where it stood: it was not booted ahead once more.
    expect(adopted.map(({ text }) => text)).toEqual([`VM ${spare}, which has booted, goes on`]);
  });
}

test('a booted spare that is killed is replaced, and its end harms nobody', async () => {
  await using fleet = await TestFleet.start({ flags: BOOTED });
  const spare = await bootedSpare(fleet);
  process.kill(pidOf(fleet, spare), 'SIGKILL');
  await fleet.until('it is gone', ({ vms }) => !vms.some(({ id_vmachine }) => id_vmachine === spare));
  await bootedSpare(fleet, [spare]);
  expect((await fleet.run('send', ['x'])).stdout).toBe('X\n');
});

test('prepared spares boot when the parameter says so, and its words are shown', async () => {
  await using fleet = await TestFleet.start({ flags: ['--set', 'spare_vm_count=1'] });
  await fleet.until('a spare is prepared', (snapshot) => spareOf(snapshot) !== undefined);
  expect((await fleet.run('params', ['get', 'spare_state'])).stdout).toBe('prepared\n');
  expect((await fleet.run('params', ['set', 'spare_state=booted'])).exitCode).toBe(0);
  expect(await bootedSpare(fleet)).toBeGreaterThan(1);
  expect(await fleet.json('params', ['get', 'spare_state'])).toEqual({ spare_state: 1 });
  expect(await fleet.run('params', ['set', 'spare_state=warm'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('prepared or booted'),
  });
});
