/** What the rules of docs/rules.md promise, seen from outside, with real VMs. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Client, connect } from '../src/client/mod.ts';
import { codeOf } from '../src/errors.ts';
import { isAlive, signalProcess } from '../src/process/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { launcherOf, qemusOf, sharedAddresses } from './driver/processes.ts';

/** Its service does what none should: with `hang` it computes without end and yields to nobody. */
const TEST_IMAGE = fileURLToPath(new URL('../includeos/build/shoal-guest-test.elf', import.meta.url));
/** How a VM is reached makes no difference to the rules. */
const NETWORKS = ['user', 'none'] as const;
/** Reports often, so that idleness and silence show soon. */
const QUICK = ['--set', 'status_interval_ms=200', '--set', 'last_connect_ms=1000'];

function clientOf(fleet: TestFleet, deadlineMs = 60_000): Promise<Client> {
  return connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs });
}

/** How each of many requests ended: its text, or the code of its error. */
function outcomes(requests: readonly Promise<{ readonly text: string }>[]): Promise<string[]> {
  return Promise.all(
    requests.map((request) =>
      request.then(
        ({ text }) => text,
        (error: unknown) => codeOf(error) ?? 'no code',
      ),
    ),
  );
}

async function startedVms(fleet: TestFleet): Promise<number[]> {
  const events = await fleet.events();
  return events.flatMap(({ kind, vm }) => (kind === 'vm-start' && vm !== undefined ? [vm] : []));
}

test.each(NETWORKS)(
  'with network %s as many VMs come up as slow requests need, and no more; idle again they go down to the minimum, and their addresses come free',
  async (network) => {
    const flags = ['--set', 'status_interval_ms=200', '--set', 'free_count=3'];
    await using fleet = await TestFleet.start({ network, addresses: 8, flags });
    await using client = await clientOf(fleet);
    const slow = Array.from({ length: 5 }, () => client.request('1500', { op: 'spin' }));
    expect(await outcomes(slow)).toEqual(Array.from({ length: 5 }, () => 'spun 1500'));
    expect(await startedVms(fleet)).toEqual([1, 2, 3, 4, 5]);
    const idle = await fleet.until('only the minimum is left', ({ addresses_free }) => addresses_free === 7);
    const all = await fleet.events();
    expect(all.filter(({ kind }) => kind === 'warning')).toEqual([]);
    const events = all.map(({ rule, text }) => `${rule} ${text}`).join('\n');
    expect(idle, events).toMatchObject({ addresses: 8, addresses_free: 7, vms: [{ state: 'ready' }] });
    expect(qemusOf(fleet).map(({ address }) => address)).toEqual(idle.vms.map(({ address }) => address));
  },
);

test.each([
  ['pack', 1],
  ['spread', 2],
] as const)('R2: with --routing %s two requests at once go to %i of two free VMs', async (routing, used) => {
  const flags = ['--min', '2', '--set', 'vm_requests_max=4', '--routing', routing];
  await using fleet = await TestFleet.start({ addresses: 2, flags });
  await using client = await clientOf(fleet);
  const replies = await Promise.all([1, 2].map(() => client.request('500', { op: 'spin' })));
  expect(new Set(replies.map(({ vm }) => vm)).size).toBe(used);
});

test('with every address in use, many more requests than VMs are all answered', async () => {
  await using fleet = await TestFleet.start({ addresses: 2 });
  await using client = await clientOf(fleet);
  const many = Array.from({ length: 60 }, () => client.request('40', { op: 'spin' }));
  await fleet.until('no address is free', ({ addresses_free }) => addresses_free === 0);
  expect(await outcomes(many)).toEqual(Array.from({ length: 60 }, () => 'spun 40'));
  expect(new Set(await startedVms(fleet)).size).toBe(2);
});

test('1000 clients before 2 VMs all get their text, or are told clearly that it is too much', async () => {
  const flags = ['--min', '2', '--set', 'router_queue_max=500'];
  await using fleet = await TestFleet.start({ addresses: 2, flags });
  const clients: Client[] = [];
  // In groups, because a server takes only so many handshakes at a time.
  for (let group = 0; group < 20; group++) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => clientOf(fleet)))));
  }
  const ended = await outcomes(clients.map((client, index) => client.request(`text of client ${index}`)));
  ended.forEach((outcome, index) => {
    expect([`TEXT OF CLIENT ${index}`, 'REQUEST_OVERLOADED']).toContain(outcome);
  });
  expect(ended.filter((outcome) => outcome.startsWith('TEXT')).length).toBeGreaterThan(500);
  await Promise.all(clients.map((client) => client.close()));
  expect(await startedVms(fleet)).toEqual([1, 2]);
});

test.each(NETWORKS)(
  'R7, network %s: a reservation for which no VM comes is released, and what the host starts for it too late does not stay',
  async (network) => {
    const limits = ['--set', 'boot_timeout_ms=1000', '--set', 'ip_reserve_ms=1500'];
    const fleet = await TestFleet.start({ network, addresses: 3, flags: [...QUICK, ...limits] });
    await using client = await clientOf(fleet);
    const launcher = launcherOf(fleet.up);
    if (launcher === undefined) throw new Error('the launcher runs');
    signalProcess(launcher, 'SIGSTOP');
    // One VM, two requests: another VM is wanted, and the host cannot start it.
    const slow = [client.request('4000', { op: 'spin' }), client.request('10', { op: 'spin' })];
    await eventually('the reservation is given up', async () => {
      const given = (await fleet.events()).filter(({ kind, rule }) => kind === 'vm-stop' && rule === 'R7');
      return given.length > 0 ? given : undefined;
    });
    signalProcess(launcher, 'SIGCONT');
    expect(await outcomes(slow)).toEqual(['spun 4000', 'spun 10']);
    // Whatever else was started since is a VM like any other; what was given up is gone, and its address free.
    await fleet.until('no VM is on its way', ({ vms }) => vms.every(({ state }) => state === 'ready'));
    const { vms, addresses_free } = await fleet.snapshot();
    expect(addresses_free).toBe(3 - vms.length);
    expect(qemusOf(fleet).map(({ vm }) => vm)).toEqual(vms.map((vm) => vm.id_vmachine));
    await fleet.stop();
    expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  },
);

test.each(NETWORKS)(
  'R6, network %s: a service that never yields is found stuck, and its request is not tried on another VM',
  async (network) => {
    const limits = ['--set', 'stuck_ms=500', '--set', 'vm_requests_max=2', '--min', '2'];
    await using fleet = await TestFleet.start({
      ...{ network, addresses: 3 },
      flags: [...QUICK, ...limits, '--image', TEST_IMAGE],
    });
    await using client = await clientOf(fleet);
    const hanging = client.request('', { op: 'hang', deadlineMs: 500 });
    // Sent to the same VM, which is free for two; it has time, but what a stuck VM had in work is never tried again.
    const beside = client.request('beside');
    expect(await outcomes([hanging, beside])).toEqual(['REQUEST_DEADLINE', 'REQUEST_VM_FAILED']);
    await expect(beside).rejects.toThrow(/poison/);
    const gone = await eventually('the stuck VM is gone', async () =>
      (await fleet.events()).find(({ kind }) => kind === 'vm-gone'),
    );
    expect(gone.text).toMatch(/stuck/);
    await fleet.until(
      'two VMs are ready again',
      ({ vms }) => vms.length === 2 && vms.every(({ state }) => state === 'ready'),
    );
    expect(await outcomes([client.request('still here')])).toEqual(['STILL HERE']);
    expect((await fleet.events()).filter(({ kind }) => kind === 'vm-gone')).toHaveLength(1);
  },
);

test.each(NETWORKS.flatMap((network) => [[network, 'SIGKILL'] as const, [network, 'SIGSTOP'] as const]))(
  'R8, network %s: a VM that got %s is replaced on its address, once its process is gone',
  async (network, signal) => {
    await using fleet = await TestFleet.start({ network, addresses: 1, flags: QUICK });
    await using client = await clientOf(fleet);
    const [first] = qemusOf(fleet);
    if (first === undefined) throw new Error('a VM runs');
    signalProcess(first.identity, signal);
    const replaced = await eventually('another VM has its address', () => {
      expect(sharedAddresses(fleet)).toEqual([]);
      return qemusOf(fleet).find(({ vm, address }) => vm === 2 && address === first.address);
    });
    expect(isAlive(first.identity)).toBe(false);
    expect(isAlive(replaced.identity)).toBe(true);
    expect(await outcomes([client.request('back')])).toEqual(['BACK']);
    const order = (await fleet.events()).map(({ kind, vm }) => `${kind} ${vm}`);
    const at = ['vm-gone 1', 'address-free 1', 'vm-start 2'].map((event) => order.indexOf(event));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at).not.toContain(-1);
  },
);
