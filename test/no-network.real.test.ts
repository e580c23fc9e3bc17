/** A fleet whose VMs have no network. */
import { expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { TestFleet } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { killBusyVm, qemusOf } from './driver/processes.ts';

interface Row {
  readonly id_vmachine: number;
  readonly network: string;
  readonly address: string;
}

async function rowsOf(fleet: TestFleet): Promise<readonly Row[]> {
  // The documentation lists these fields, and a test holds it to them.
  const { vms } = (await fleet.json('ps')) as { readonly vms: readonly Row[] };
  return vms;
}

test('with --network none requests are answered, nobody listens at the addresses, and ps says so', async () => {
  const fleet = await TestFleet.start({ network: 'none', flags: ['--min', '2'] });
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  expect((await client.request('hello')).text).toBe('HELLO');
  for (const { commandLine } of qemusOf(fleet)) expect(commandLine).not.toMatch(/netdev|virtio-net|hostfwd/);
  const { stdout } = await fleet.run('ps');
  expect(stdout).toMatch(/127\.[\d.]+:\d+ \(no network\)/);
  const vms = await rowsOf(fleet);
  expect(vms.map(({ network }) => network)).toEqual(['none', 'none']);
  expect(await fleet.json('inspect', ['1'])).toMatchObject({ network: 'none' });
  expect(await fleet.json('hosts')).toMatchObject([{ network: 'none' }]);
  await expect(fetch(`http://${vms[0]?.address}/upper`, { method: 'POST', body: 'x' })).rejects.toThrow();
  await fleet.stop();
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('VMs keep the network that they were started with when the next Shoal gives another one to new VMs', async () => {
  const first = await TestFleet.start({ network: 'none', flags: ['--set', 'vm_requests_max=1'] });
  await first.kill();
  await using fleet = await TestFleet.start({ network: 'user', data: first.data, pool: first.pool });
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  // More than one VM takes: another one is started beside the one that was adopted.
  const replies = await Promise.all(Array.from({ length: 3 }, () => client.request('700', { op: 'spin' })));
  expect(replies.map(({ text }) => text)).toEqual(['spun 700', 'spun 700', 'spun 700']);
  const vms = await rowsOf(fleet);
  expect(vms.find(({ id_vmachine }) => id_vmachine === 1)).toMatchObject({ network: 'none' });
  expect(vms.filter(({ network }) => network === 'user').length).toBeGreaterThan(0);
});

test('a VM without a network that dies with a request is replaced, and the request answered by another one', async () => {
  await using fleet = await TestFleet.start({ network: 'none', flags: ['--min', '2'] });
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
  const slow = client.request('1500', { op: 'spin' });
  const vm = await killBusyVm(fleet);
  const reply = await slow;
  expect(reply.text).toBe('spun 1500');
  expect(reply.vm).not.toBe(vm);
  await fleet.until('two are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length >= 2);
});
