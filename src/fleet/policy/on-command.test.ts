import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';
import type { CommandMessage, CommandReply } from '../values/command-messages.ts';
import { makeParams } from '../values/params.ts';

type Ask = CommandMessage extends infer M ? (M extends CommandMessage ? Omit<M, 'replyTo'> : never) : never;

async function ask(fleet: FakeFleet, command: Ask): Promise<CommandReply> {
  const replies: CommandReply[] = [];
  const replyTo = { path: 'admin', tell: (reply: CommandReply) => replies.push(reply) > 0 };
  fleet.router.tell({ ...command, replyTo });
  await fleet.settle();
  const [reply] = replies;
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

describe('an administrator', () => {
  it('drains a VM, which R1 makes good', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    expect(await ask(fleet, { kind: 'drain-vm', vm: 1 })).toMatchObject({ ok: true, vms: [1] });
    expect(await fleet.inState('ready')).toEqual([2, 3]);
    expect(fleet.eventsOf('vm-drain')).toMatchObject([{ vm: 1, rule: 'command' }]);
  });

  it('drains all VMs, those that start, end and drain already among them, and keeps none', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 4, free_count: 1_000 } });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    fleet.obeys.delete('start');
    fleet.obeys.delete('stop');
    await ask(fleet, { kind: 'drain-vm', vm: 1 });
    await ask(fleet, { kind: 'remove-vm', vm: 2 });
    await fleet.settle();
    expect(await fleet.inState('stopping')).toEqual([2]);
    expect(await fleet.inState('ready')).toEqual([3, 4]);
    expect(await fleet.inState('booting')).toEqual([5, 6]);
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 0 }) });
    expect(await ask(fleet, { kind: 'drain-vms' })).toMatchObject({ ok: true, vms: [1, 3, 4, 5, 6] });
    expect(await fleet.inState('draining')).toEqual([1]);
    expect(await fleet.inState('stopping')).toEqual([2, 3, 4, 5, 6]);
    expect(await ask(fleet, { kind: 'drain-vms' })).toMatchObject({ ok: true, vms: [1] });
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('removes a VM at once; what it worked on is tried elsewhere', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    expect(await ask(fleet, { kind: 'remove-vm', vm: 1 })).toMatchObject({ ok: true, vms: [1] });
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('is told when there is no such VM, or it cannot be told so', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.settle();
    for (const [vm, code] of [
      [1, 'VM_STATE'],
      [99, 'VM_UNKNOWN'],
    ] as const) {
      expect(await ask(fleet, { kind: 'drain-vm', vm })).toMatchObject({ ok: false, error: { code } });
    }
  });

  it('restarts all, each only when its replacement is ready', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3 } });
    await fleet.settle();
    fleet.obeys.delete('start');
    expect(await ask(fleet, { kind: 'restart-vms', vms: 'all' })).toMatchObject({ ok: true, vms: [1, 2, 3] });
    expect(await fleet.inState('ready')).toEqual([1, 2, 3]);
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4]);
    fleet.obeys.add('start');
    fleet.event({ kind: 'vm-booting', vm: 4 });
    fleet.answering(4);
    await fleet.advance(500);
    expect(await fleet.inState('ready')).toEqual([4, 5, 6]);
    expect(fleet.told('stop')).toEqual([1, 2, 3]);
  });

  it.each([1, 2, 5])(
    'restarts where no address is free: the old one goes first, for a minimum of %s',
    async (minimum) => {
      await using fleet = new FakeFleet({ addresses: 2, params: { min_vm_count: minimum, free_count: 100 } });
      await fleet.settle();
      fleet.send();
      fleet.send();
      await fleet.settle();
      for (const vm of [1, 2]) fleet.reply(vm);
      await ask(fleet, { kind: 'restart-vms', vms: [1, 2] });
      await fleet.advance(500);
      expect(fleet.told('stop')).toEqual([1, 2]);
      expect((await fleet.inState('ready')).every((vm) => vm > 2)).toBe(true);
      expect((await fleet.inState('ready')).length).toBeGreaterThanOrEqual(Math.min(2, minimum));
    },
  );

  it.each([
    [10, 2],
    [2, 1],
  ])(
    'loses no VM that runs while its replacements crash, but the first where there are %s addresses',
    async (addresses, left) => {
      await using fleet = new FakeFleet({ addresses, params: { min_vm_count: 2, free_count: 100 } });
      await fleet.settle();
      fleet.obeys.delete('start');
      await ask(fleet, { kind: 'restart-vms', vms: 'all' });
      for (let second = 0; second < 30; second++) {
        const ready = await fleet.inState('ready');
        await fleet.reporting(ready, 1);
        for (const vm of await fleet.inState('booting')) fleet.gone(vm, 'panicked');
      }
      expect(await fleet.inState('ready')).toHaveLength(left);
      expect(fleet.told('prepare').length).toBeGreaterThan(5);
    },
  );

  it('scales up and down, at once and for good', async () => {
    await using fleet = new FakeFleet();
    await fleet.settle();
    expect(await ask(fleet, { kind: 'scale', vmCount: 4 })).toMatchObject({ ok: true, params: { minVmCount: 4 } });
    expect(await fleet.inState('ready')).toEqual([1, 2, 3, 4]);
    expect(await ask(fleet, { kind: 'scale', vmCount: 1 })).toMatchObject({ ok: true, vms: [4, 3, 2] });
    expect(await fleet.snapshot()).toMatchObject({ vms: [{ id_vmachine: 1 }], addresses_free: 9 });
  });

  it('is refused a count that cannot be', async () => {
    await using fleet = new FakeFleet();
    const reply = await ask(fleet, { kind: 'scale', vmCount: -1 });
    expect(reply).toMatchObject({ ok: false, error: { code: 'CONFIG_VALUE' } });
  });
});

describe('a restart', () => {
  it.each([0, 1, 2, 4])('of all starts one VM for each, with %i spares', async (spares) => {
    const params = { min_vm_count: 4, spare_vm_count: spares, free_count: 1_000 };
    await using fleet = new FakeFleet({ addresses: 40, params });
    await fleet.advance(200);
    const before = fleet.told('start').length;
    await ask(fleet, { kind: 'restart-vms', vms: 'all' });
    await fleet.advance(2_000);
    expect(fleet.told('start').length - before).toBe(4);
    expect(fleet.told('stop')).toEqual([1, 2, 3, 4]);
  });

  it('replaces the oldest VM first, and a VM that works only when it has finished', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, free_count: 1_000 } });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    await ask(fleet, { kind: 'restart-vms', vms: [2, 1] });
    await fleet.advance(500);
    // VM 1 has work, and while it drains VM 2 may go: its replacement is ready.
    expect([await fleet.inState('draining'), fleet.told('stop')[0]]).toEqual([[1], 2]);
    fleet.reply(1);
    await fleet.advance(500);
    expect(fleet.told('stop').toSorted()).toEqual([1, 2]);
  });

  it('waits where no address is free until the VM before has given its own back', async () => {
    await using fleet = new FakeFleet({
      addresses: 2,
      params: { min_vm_count: 2, free_count: 1_000 },
      obeys: ['prepare', 'start'],
    });
    await fleet.settle();
    await ask(fleet, { kind: 'restart-vms', vms: 'all' });
    await fleet.reporting([1, 2], 3);
    expect([await fleet.inState('stopping'), await fleet.inState('ready')]).toEqual([[1], [2]]);
    fleet.gone(1);
    await fleet.advance(500);
    expect([await fleet.inState('stopping'), await fleet.inState('ready')]).toEqual([[2], [3]]);
  });

  it('is asked of ready VMs only', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, spare_vm_count: 1 } });
    await fleet.settle();
    const reply = await ask(fleet, { kind: 'restart-vms', vms: [1, 2] });
    expect(reply).toMatchObject({ ok: false, error: { code: 'VM_STATE' } });
    await fleet.advance(500);
    expect(await fleet.inState('ready')).toEqual([1]);
  });
});

describe('scale', () => {
  it('counts VMs that are starting, and ends these first, youngest first', async () => {
    await using fleet = new FakeFleet();
    await fleet.settle();
    await ask(fleet, { kind: 'scale', vmCount: 1 });
    fleet.obeys.delete('start');
    await ask(fleet, { kind: 'scale', vmCount: 5 });
    expect(await ask(fleet, { kind: 'scale', vmCount: 3 })).toMatchObject({ vms: [5, 4] });
    expect(await ask(fleet, { kind: 'scale', vmCount: 1 })).toMatchObject({ vms: [3, 2] });
    await fleet.advance(1_000);
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('drains those with the fewest requests in flight first', async () => {
    await using fleet = new FakeFleet({ routing: 'spread', params: { min_vm_count: 3, vm_requests_max: 4 } });
    await fleet.settle();
    for (let n = 0; n < 5; n++) fleet.send();
    await fleet.settle();
    // VM 1 has two requests, VM 2 has two, VM 3 has one.
    expect(await ask(fleet, { kind: 'scale', vmCount: 2 })).toMatchObject({ vms: [3] });
    fleet.reply(1);
    await fleet.settle();
    expect(await ask(fleet, { kind: 'scale', vmCount: 1 })).toMatchObject({ vms: [1] });
  });

  it('drains of these those that are idle for longest', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, free_count: 100 } });
    await fleet.settle();
    await fleet.reporting([1, 2, 3], 1);
    await fleet.reporting([2], 2);
    expect(await ask(fleet, { kind: 'scale', vmCount: 2 })).toMatchObject({ vms: [2] });
  });

  it('keeps every other parameter', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 7, spare_vm_count: 2 } });
    const params = makeParams({ min_vm_count: 2, free_count: 7, spare_vm_count: 2 });
    expect(await ask(fleet, { kind: 'scale', vmCount: 2 })).toMatchObject({ ok: true, params });
  });
});

describe('a command about a VM that cannot obey', () => {
  it('is refused while its host is out of reach', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    const reply = await ask(fleet, { kind: 'remove-vm', vm: 1 });
    expect(reply).toMatchObject({ ok: false, error: { code: 'VM_STATE' } });
    expect(fleet.told('stop')).toEqual([]);
  });

  it('says that a spare is one, and what ends it', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 1 } });
    await fleet.settle();
    const reply = await ask(fleet, { kind: 'drain-vm', vm: 1 });
    expect(reply).toMatchObject({ ok: false, error: { code: 'VM_STATE' } });
    expect(!reply.ok && reply.error.message).toMatch(/spare.*shoal rm 1/);
    expect(await ask(fleet, { kind: 'remove-vm', vm: 1 })).toMatchObject({ ok: true, vms: [1] });
  });

  it('is obeyed once by a VM that drains already', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    for (let n = 0; n < 2; n++) expect(await ask(fleet, { kind: 'drain-vm', vm: 1 })).toMatchObject({ ok: true });
    expect(fleet.eventsOf('vm-drain')).toHaveLength(1);
  });

  it('does not say that a VM is a spare which is none', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.settle();
    const reply = await ask(fleet, { kind: 'drain-vm', vm: 1 });
    expect(!reply.ok && reply.error.message).not.toMatch(/spare/);
  });
});
