import { describe, expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { FakeFleet } from '../fleet/kit/mod.ts';
import type { FleetEvent, RequestRecord } from '../fleet/mod.ts';
import { EventLog } from './event-log.ts';
import { Explanations } from './explanations.ts';
import { Ring } from './ring.ts';

const event = (atMs: number, fields: Partial<FleetEvent> = {}): FleetEvent => {
  return { atMs, kind: 'vm-start', vm: atMs, text: `event ${atMs}`, ...fields };
};
const step = (atMs: number, requestId: string): RequestRecord => ({ atMs, kind: 'routed', requestId, text: 'x' });

describe('explanations', () => {
  it('keep the latest decisions in full, and the oldest goes first', () => {
    const explanations = new Explanations(3);
    for (let at = 1; at <= 5; at++) explanations.see(event(at));
    expect(explanations.last(10).map(({ atMs }) => atMs)).toEqual([3, 4, 5]);
    expect(explanations.decisionsSinceMs).toBe(3);
    expect(explanations.last(1)).toEqual([event(5)]);
    expect(explanations.ofVm(4)).toEqual([event(4)]);
    expect(explanations.ofVm(1)).toEqual([]);
  });

  it('are not pushed out by events that are no decisions', () => {
    const explanations = new Explanations(3);
    explanations.see(event(1));
    for (let at = 2; at < 10; at++) explanations.see(event(at, { kind: 'waiting' }));
    expect(explanations.last(10)).toEqual([event(1)]);
  });

  it('show that R8 ends a VM on a held address, and not that one is left alone', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    fleet.event({ kind: 'vm-adopted', vm: 50, address, pid: 7, startedMs: 0, state: 'answering' });
    await fleet.settle();
    const explanations = new Explanations();
    for (const one of fleet.eventsOf('unidentified')) explanations.see(one);
    explanations.see(event(2, { kind: 'unidentified' }));
    expect(explanations.last(10)).toMatchObject([{ vm: 50, rule: 'R8', reason: 'address-conflict' }]);
  });

  it('show the end of a VM with that VM, and not as a decision', () => {
    const explanations = new Explanations();
    const gone = event(2, { kind: 'vm-gone', vm: 1 });
    explanations.see(event(1));
    explanations.see(gone);
    expect(explanations.last(10)).toEqual([event(1)]);
    expect(explanations.ofVm(1)).toEqual([event(1), gone]);
  });

  it('keep the latest steps of requests', () => {
    const explanations = new Explanations(1, 3);
    for (const [at, id] of ['a', 'b', 'a', 'c'].entries()) explanations.seeStep(step(at, id));
    expect(explanations.ofRequest('a')).toEqual([step(2, 'a')]);
    expect(explanations.stepsSinceMs).toBe(1);
    expect(new Explanations().stepsSinceMs).toBeUndefined();
  });
});

describe('a ring', () => {
  it('is in order before and after it is full', () => {
    const ring = new Ring<number>(3);
    for (let n = 1; n <= 7; n++) {
      ring.add(n);
      expect(ring.all()).toEqual([n - 2, n - 1, n].filter((kept) => kept > 0));
      expect(ring.oldest).toBe(Math.max(1, n - 2));
    }
    expect(ring.size).toBe(3);
  });
});

describe('the event log', () => {
  it('keeps the latest of each stretch of waiting for one reason, and passes all of them on', () => {
    const log = new EventLog(new ManualClock());
    let heard = 0;
    log.listen(() => {
      heard += 1;
    });
    const reasons = ['vm-starting', 'vm-starting', 'no-address', 'no-address', 'vm-starting'] as const;
    for (const [at, reason] of reasons.entries()) log.add(event(at, { kind: 'waiting', reason }));
    log.add(event(9));
    log.add(event(10, { kind: 'waiting', reason: 'vm-starting' }));
    expect(log.latest(10).map(({ atMs }) => atMs)).toEqual([1, 3, 4, 9, 10]);
    expect(heard).toBe(7);
  });
});
