import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';
import { makeParams } from '../values/params.ts';
import { DEFAULT_SIZING } from './default-sizing.ts';
import type { Sizing, SizingPolicy, SizingView } from './sizing.ts';

const NOTHING: Sizing = { start: [], drain: [], spares: 0 };

function policy(decide: (view: SizingView) => Sizing): SizingPolicy {
  return { name: 'of the test', decide };
}

describe('a sizing policy of its own', () => {
  it('starts VMs ahead of requests', async () => {
    const ahead = policy(({ ready, starting }) => ({ ...NOTHING, start: ready + starting < 3 ? [{ ahead: 1 }] : [] }));
    await using fleet = new FakeFleet({ sizing: ahead });
    await fleet.advance(500);
    expect(await fleet.inState('ready')).toEqual([1, 2, 3]);
    expect(fleet.eventsOf('vm-start')[0]).toMatchObject({ rule: 'R3', figures: { ahead: 1 } });
  });

  it('may keep VMs that the default would drain', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 2 }, sizing: policy(() => NOTHING) });
    fleet.send();
    await fleet.settle();
    fleet.reply(1);
    await fleet.reporting([1], 10);
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('reads the surplus VMs, and what is ready, serving and waiting', async () => {
    const views: SizingView[] = [];
    const watching = policy((view) => {
      views.push({ ...view, surplus: () => [], ...{ idle: view.surplus() } });
      return NOTHING;
    });
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, free_count: 2 }, sizing: watching });
    await fleet.settle();
    await fleet.reporting([1, 2], 3);
    fleet.dropLink(2);
    await fleet.settle();
    expect(views.at(-1)).toMatchObject({ ready: 2, serving: 1, starting: 0, spares: 0, waiting: 0 });
    expect(views.at(-1)).toMatchObject({ idle: [{ vm: 1, freeCount: 3 }] });
  });
});

describe('whatever a sizing policy says', () => {
  it('no VM goes that is not surplus, and none below the minimum', async () => {
    const drainsAll = policy((view) => ({
      ...DEFAULT_SIZING.decide(view),
      drain: [1, 2, 3, 99].map((vm) => ({ vm, figures: {} })),
    }));
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 2 }, sizing: drainsAll });
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      for (const vm of [1, 2, 3]) fleet.report(vm);
      await fleet.advance(1_000);
    }
    expect(await fleet.inState('ready')).toEqual([1, 2, 3]);
    for (const vm of [1, 2]) fleet.reply(vm);
    await fleet.reporting([1, 2, 3], 5);
    expect(await fleet.inState('ready')).toEqual([3]);
  });

  it('surplus VMs go in its order, down to the minimum', async () => {
    const drainsAll = policy(() => ({ ...NOTHING, drain: [1, 2, 3].map((vm) => ({ vm, figures: {} })) }));
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, free_count: 2 }, sizing: drainsAll });
    await fleet.settle();
    await fleet.reporting([1, 2, 3], 4);
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 1, free_count: 2 }) });
    await fleet.settle();
    expect([await fleet.inState('ready'), fleet.told('prepare')]).toEqual([[3], [1, 2, 3]]);
  });

  it('no VM is started against it while one is ready or starting', async () => {
    await using fleet = new FakeFleet({ params: { vm_backlog_max: 0 }, sizing: policy(() => NOTHING) });
    fleet.obeys.delete('start');
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.advance(500);
    expect(fleet.told('prepare')).toEqual([1]);
    fleet.answering(1);
    await fleet.advance(500);
    expect([await fleet.inState('ready'), fleet.told('prepare')]).toEqual([[1], [1]]);
  });

  it('a request does not wait for a VM that nobody starts', async () => {
    await using fleet = new FakeFleet({ sizing: policy(() => NOTHING) });
    const client = fleet.send();
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true }]);
  });

  it('the minimum runs, and failing VMs are replaced', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, sizing: policy(() => NOTHING) });
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([2, 3]);
  });

  it('no more is started than there are addresses', async () => {
    const greedy = policy(() => ({ ...NOTHING, start: Array.from({ length: 100 }, () => ({})) }));
    await using fleet = new FakeFleet({ addresses: 3, sizing: greedy });
    await fleet.advance(500);
    expect(fleet.told('prepare')).toEqual([1, 2, 3]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('a defect');
      },
    ],
    ['wants a part of a spare', () => ({ ...NOTHING, spares: 0.5 })],
    ['wants fewer than no spares', () => ({ ...NOTHING, spares: -1 })],
    // A policy in JavaScript may return anything.
    ['returns no list of VMs to start', () => ({ ...NOTHING, start: undefined as never })],
    // A policy in JavaScript may return anything.
    ['returns a list with an entry that is none', () => ({ ...NOTHING, drain: [undefined as never] })],
    ['returns no list of VMs to drain', () => ({ ...NOTHING, drain: undefined as never })],
  ])('the fleet serves on when it %s, which is told once', async (_how, decide) => {
    await using fleet = new FakeFleet({ sizing: policy(decide) });
    const client = fleet.send();
    await fleet.advance(1_000);
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true }]);
    expect(fleet.eventsOf('failed')).toMatchObject([{ text: expect.stringContaining('of the test') }]);
  });
});

describe('spares', () => {
  it('that a replacement has just taken are made good, and none of the others is ended', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, spare_vm_count: 2, last_connect_ms: 60_000 } });
    await fleet.advance(100);
    for (let n = 0; n < 3; n++) {
      fleet.dropLink(1);
      fleet.linkReady(1);
    }
    await fleet.advance(100);
    expect([await fleet.inState('ready'), await fleet.inState('prepared')]).toEqual([[2], [3, 4]]);
    expect(fleet.told('stop')).toEqual([1]);
  });
});
