import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

/** Which VM each of some requests went to that are not answered. */
async function places(fleet: FakeFleet, vms: readonly number[]): Promise<readonly number[]> {
  await fleet.settle();
  return vms.map((vm) => fleet.links.of(vm).open.length);
}

describe('R2', () => {
  it('fills the VM with the most in flight, ties to the oldest', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, vm_requests_max: 4 } });
    await fleet.settle();
    for (let n = 0; n < 6; n++) fleet.send();
    expect(await places(fleet, [1, 2, 3])).toEqual([4, 2, 0]);
  });

  it('takes the one with the fewest when routing is spread', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, vm_requests_max: 4 }, routing: 'spread' });
    await fleet.settle();
    for (let n = 0; n < 7; n++) fleet.send();
    expect(await places(fleet, [1, 2, 3])).toEqual([3, 2, 2]);
  });

  it('follows vm_requests_max while running', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    for (let n = 0; n < 4; n++) fleet.send();
    expect(await places(fleet, [1])).toEqual([1]);
    fleet.router.tell({ kind: 'params', params: makeParams({ vm_requests_max: 3, vm_backlog_max: 0 }) });
    expect(await places(fleet, [1])).toEqual([3]);
  });
});

describe('R2, a VM that fails', () => {
  const params = { min_vm_count: 4, vm_requests_max: 4, last_connect_ms: 60_000 };

  it('is drained and replaced after three 5xx in a row', async () => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.send();
      await fleet.settle();
      fleet.fail(1, 502);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toMatchObject([{ vm: 1, rule: 'R2', figures: { faults: 3 } }]);
    expect(await fleet.inState('ready')).toEqual([2, 3, 4, 5]);
  });

  it.each([
    ['a sound reply comes between', (fleet: FakeFleet) => fleet.reply(1)],
    ['the request was at fault', (fleet: FakeFleet) => fleet.fail(1, 400)],
  ])('stays if %s', async (_what, between) => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (let n = 0; n < 6; n++) {
      fleet.send();
      await fleet.settle();
      if (n % 3 === 2) between(fleet);
      else fleet.fail(1, 503);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it('is drained after its link was lost three times, or stays down', async () => {
    await using fleet = new FakeFleet({ params: { ...params, last_connect_ms: 5_000, boot_timeout_ms: 14_000 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.dropLink(1);
      fleet.linkReady(1);
    }
    fleet.dropLink(2);
    await fleet.settle();
    expect(fleet.eventsOf('vm-drain').map((event) => event.vm)).toEqual([1]);
    await fleet.advance(5_100);
    expect(fleet.eventsOf('vm-drain').map((event) => [event.vm, event.rule])).toEqual([
      [1, 'R2'],
      [2, 'R2'],
    ]);
  });

  it('stays while half of the fleet is being replaced', async () => {
    await using fleet = new FakeFleet({ params, addresses: 4, obeys: ['prepare', 'start'] });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      for (const vm of [1, 2, 3, 4]) fleet.dropLink(vm);
      for (const vm of [1, 2, 3, 4]) fleet.linkReady(vm);
    }
    await fleet.advance(1_000);
    expect(fleet.eventsOf('vm-drain').map((event) => [event.vm, event.figures])).toEqual([
      [1, { faults: 3, link_down_ms: 0, ejected_max: 2 }],
      [2, { faults: 3, link_down_ms: 0, ejected_max: 2 }],
    ]);
    expect(await fleet.inState('ready')).toEqual([3, 4]);
  });

  it('that is the only one is replaced too', async () => {
    await using fleet = new FakeFleet({ params: { ...params, min_vm_count: 1 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.send();
      await fleet.settle();
      fleet.fail(1, 504);
      await fleet.settle();
    }
    expect(await fleet.inState('ready')).toEqual([2]);
  });

  it('is ejected neither by overload nor by an operation that it does not have', async () => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (const status of [503, 503, 503, 503, 501, 501, 501, 501] as const) {
      fleet.send();
      await fleet.settle();
      fleet.fail(1, status);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it.each([503, 499] as const)(
    'is ejected although an answer of %i came between, which says nothing',
    async (status) => {
      await using fleet = new FakeFleet({ params });
      await fleet.settle();
      for (const answer of [502, status, 504, status, 502] as const) {
        fleet.send();
        await fleet.settle();
        fleet.fail(1, answer);
        await fleet.settle();
      }
      expect(fleet.eventsOf('vm-drain')).toMatchObject([{ vm: 1, rule: 'R2', figures: { faults: 3 } }]);
    },
  );

  it('is not ejected if its replies are sound for the most part', async () => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (let n = 0; n < 12; n++) {
      fleet.send();
      await fleet.settle();
      if (n % 3 === 2) fleet.reply(1);
      else fleet.fail(1, 502);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it('is not ejected over a link that was down while our own process stood still', async () => {
    await using fleet = new FakeFleet({ params: { ...params, last_connect_ms: 5_000 } });
    await fleet.settle();
    fleet.dropLink(1);
    await fleet.advance(1_000);
    fleet.stall(60_000);
    await fleet.advance(3_900);
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-drain')).toMatchObject([{ vm: 1, figures: { link_down_ms: 5_000 } }]);
  });

  it('is not ejected over a link that is back', async () => {
    await using fleet = new FakeFleet({ params: { ...params, last_connect_ms: 5_000, free_count: 1_000 } });
    await fleet.settle();
    fleet.dropLink(1);
    await fleet.advance(1_000);
    fleet.linkReady(1);
    await fleet.reporting([1, 2, 3, 4], 8);
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it('counts as a crash: the image is started less and less often', async () => {
    await using fleet = new FakeFleet({ params: { ...params, min_vm_count: 1 } });
    await fleet.settle();
    for (let vm = 1; vm <= 2; vm++) {
      for (let n = 0; n < 3; n++) {
        fleet.dropLink(vm);
        fleet.linkReady(vm);
      }
      await fleet.settle();
    }
    await fleet.advance(200);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    await fleet.advance(100);
    expect(await fleet.inState('ready')).toEqual([3]);
  });
});

describe('R2, how many VMs are ejected at a time', () => {
  /** VMs 1 to `count` are ready, and all of them fail. */
  function failing(count: number): BareFleet {
    const bare = new BareFleet({ params: { free_count: 1_000 } });
    for (let vm = 1; vm <= count; vm++) bare.ready(vm).faults(vm, 3);
    return bare;
  }
  const drained = (bare: BareFleet) => bare.decisions().filter((text) => text.startsWith('R2 drain'));

  it.each([
    [1, ['R2 drain 1']],
    [2, ['R2 drain 1']],
    [3, ['R2 drain 1']],
    [4, ['R2 drain 1', 'R2 drain 2']],
    [5, ['R2 drain 1', 'R2 drain 2']],
  ])('of %i VMs half, rounded down, but always one; the oldest first', (count, expected) => {
    expect(drained(failing(count))).toEqual(expected);
  });

  it('counts those that are ejected already, until they are gone', () => {
    const bare = failing(4);
    const eject = (vm: number) =>
      bare.apply({ kind: 'vm-draining', vm, reason: 'idle', why: 'it fails', ejected: true });
    eject(1);
    expect(drained(bare)).toEqual(['R2 drain 2']);
    eject(2);
    expect(drained(bare)).toEqual([]);
  });

  it('counts those that are starting: they are not of use yet', () => {
    const bare = failing(4).booting(5);
    expect(drained(bare)).toEqual(['R2 drain 1']);
    expect(drained(bare.booting(6))).toEqual(['R2 drain 1']);
    expect(drained(bare.booting(7))).toEqual([]);
  });

  it('replaces each at once, wherever an address is free', () => {
    expect(failing(1).decisions()).toEqual(['R2 drain 1', 'R5 stop 1', 'R2 start 10.0.0.2']);
  });
});
