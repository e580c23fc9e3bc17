/** Fleets of plain Linux VMs, from the command line: over frames, over HTTP, and over HTTP with a console that says nothing. */
import { afterAll, expect, test } from 'vitest';
import { type Client, connect } from '../../src/client/mod.ts';
import type { FleetSnapshot } from '../../src/fleet/mod.ts';
import { SHIPPED_PROFILES } from '../../src/hypervisor/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { qemusOf } from '../driver/processes.ts';
import { type LinuxGuest, type LinuxVariant, linuxGuest } from './linux-guest.ts';

let made: LinuxGuest | undefined;
afterAll(() => made?.[Symbol.dispose]());

/** Made by the first test: if it cannot be made, each test fails, whereas a failed hook would skip them. */
function guest(): LinuxGuest {
  const profile = SHIPPED_PROFILES['linux'];
  if (profile === undefined) throw new Error('Shoal ships no profile for Linux');
  made ??= linuxGuest({ ...profile });
  return made;
}

/** Silence shows soon. */
function flagsOf(variant: LinuxVariant, min: number, freeCount: number): string[] {
  const params = [
    ...['vm_requests_max=4', `free_count=${freeCount}`, 'status_interval_ms=500', 'last_connect_ms=6000'],
    ...['boot_timeout_ms=120000', 'ip_reserve_ms=150000'],
  ];
  const set = params.flatMap((param) => ['--set', param]);
  return ['--image', guest().image(variant), '--accel', 'tcg', '--min', String(min), ...set];
}

const REQUESTS = 400;
const AT_ONCE = 24;
const DEADLINE_MS = 120_000;

/** Nothing but the test decides how many VMs there are. */
function start(variant: LinuxVariant): Promise<TestFleet> {
  return TestFleet.start({ flags: flagsOf(variant, 2, 100_000) });
}

function ready({ vms }: FleetSnapshot): number {
  return vms.filter(({ state }) => state === 'ready').length;
}

/** Sends requests, some at a time. @returns the texts that came back wrong, and the VMs that answered */
async function load(client: Client, label: string): Promise<{ wrong: string[]; vms: Set<unknown> }> {
  const [wrong, vms] = [[] as string[], new Set<unknown>()];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < REQUESTS; number = next++) {
      const text = `${label} ${number} ${'ä'.repeat(number % 50 === 0 ? 20_000 : 3)}`;
      const reply = await client.request(text, { op: 'upper', deadlineMs: DEADLINE_MS });
      if (reply.text !== text.toUpperCase()) wrong.push(reply.text);
      vms.add(reply.vm);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { wrong, vms };
}

test.each(['frames', 'http', 'silent'] as const)(
  '%s: every request is answered, also when a VM dies',
  async (variant) => {
    const fleet = await start(variant);
    await fleet.until('two VMs are ready', (seen) => ready(seen) === 2);
    const client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    try {
      const calm = await load(client, 'calm');
      expect(calm.wrong).toEqual([]);
      expect(calm.vms.size).toBe(2);
      await expect(client.request('x', { op: 'nope' })).rejects.toMatchObject({ code: 'REQUEST_OPERATION_UNKNOWN' });
      await expect(client.request('not a number', { op: 'spin' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });

      const stormy = load(client, 'stormy');
      const [victim] = qemusOf(fleet);
      if (victim === undefined) throw new Error('there is no VM');
      signalProcess(victim.identity, 'SIGKILL');
      expect((await stormy).wrong).toEqual([]);
      await fleet.until(
        // Load may have started more than that.
        'another VM took its place',
        (seen) => ready(seen) >= 2 && seen.vms.every(({ id_vmachine }) => id_vmachine !== victim.vm),
      );
    } finally {
      await client.close();
    }
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  },
);

test('silent: a VM that answers nothing any more is replaced, and VMs outlive a crash of Shoal', async () => {
  const first = await start('silent');
  await first.until('two VMs are ready', (seen) => ready(seen) === 2);
  await first.kill();
  const fleet = await first.resume();
  const adopted = await fleet.until('both VMs are adopted', (seen) => ready(seen) === 2);
  const ids = adopted.vms.map(({ id_vmachine }) => id_vmachine);
  expect(ids).toEqual([1, 2]);
  const [frozen] = qemusOf(fleet);
  if (frozen === undefined) throw new Error('there is no VM');
  signalProcess(frozen.identity, 'SIGSTOP');
  await fleet.until(
    'the frozen VM is replaced',
    (seen) => ready(seen) >= 2 && seen.vms.every(({ id_vmachine }) => id_vmachine !== frozen.vm),
  );
  const events = await fleet.events();
  expect(events.some(({ kind, vm }) => kind === 'vm-gone' && vm === frozen.vm)).toBe(true);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
});

test('silent: load shows as the CPU of its process, and idle VMs end as they are too many', async () => {
  const fleet = await TestFleet.start({ flags: flagsOf('silent', 1, 4) });
  const client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  try {
    const spins = Array.from({ length: 12 }, () => client.request('4000', { op: 'spin', deadlineMs: DEADLINE_MS }));
    // More than an idle guest shows; how much depends on what else the machine does.
    await fleet.until('a VM computes', ({ vms }) => vms.some(({ cpu }) => cpu !== null && cpu > 5));
    for (const spun of await Promise.all(spins)) expect(spun.text).toBe('spun 4000');
  } finally {
    await client.close();
  }
  await fleet.until('one VM is left', ({ vms }) => vms.length === 1);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
});
