import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { HostFigures } from '../values/neighbour.ts';
import { HOPS_AGAIN_MS, HOPS_MAX } from '../values/neighbour.ts';
import { differ, figuresOf, takeHanded } from './hand-on.ts';
import { route } from './route.ts';

const NOTHING: HostFigures = {
  free: 0,
  room: 0,
  starting: 0,
  shortestQueue: null,
  waiting: 0,
  cordoned: false,
  idempotent: true,
};

/** A host whose only address has a VM, unless it has room, and neighbours with the given figures. */
function home(neighbours: Readonly<Record<string, Partial<HostFigures>>>, addresses = 1, backlog = 4): BareFleet {
  const bare = new BareFleet({ addresses, params: { vm_backlog_max: backlog } }).ready(1);
  for (const [host, figures] of Object.entries(neighbours)) tell(bare, host, figures);
  return bare;
}

function tell(bare: BareFleet, host: string, figures: Partial<HostFigures>, seen = 0): void {
  if (bare.fleet.neighbours.get(host) === undefined) {
    bare.apply({ kind: 'neighbour-up', host, session: `${host} 1`, nowMs: bare.nowMs });
  }
  bare.apply({ kind: 'neighbour-told', host, figures: { ...NOTHING, ...figures }, seen, nowMs: bare.nowMs });
}

function hand(bare: BareFleet, host: string, request: OpenRequest = bare.request()): number {
  const frame = bare.fleet.requests.nextFrame();
  bare.apply({ kind: 'request-handed', request, host, frame });
  return frame;
}

describe('where a request goes that other hosts could serve', () => {
  it('to a free VM at home first: nobody hands on what can be served here', () => {
    expect(route(home({ b: { free: 9, room: 9 } }).fleet, 0)).toMatchObject({ kind: 'dispatch', rule: 'R2', vm: 1 });
  });

  it('then to a free VM of a neighbour, though one could be started here', () => {
    const bare = home({ b: { free: 1 } }, 5).busy(1);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'hand-on', rule: 'R2', host: 'b', what: 'free' });
  });

  it('then it waits for a VM here, unless a neighbour has clearly more room', () => {
    const bare = home({ b: { room: 7 } }, 4).busy(1);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    tell(bare, 'b', { room: 8 });
    expect(route(bare.fleet, 0)).toEqual({ kind: 'hand-on', rule: 'R3', host: 'b', what: 'room' });
    // Those that wait here already will take of the room here.
    tell(bare, 'b', { room: 4 });
    expect(route(bare.wait(3).fleet, 0, 2)).toEqual({ kind: 'hand-on', rule: 'R3', host: 'b', what: 'room' });
  });

  it('to any room of a neighbour where none is left here, and only then into a queue', () => {
    const bare = home({ b: { room: 1, shortestQueue: 0 } }).busy(1);
    expect(route(bare.fleet, 0)).toMatchObject({ kind: 'hand-on', rule: 'R3', host: 'b' });
  });

  it('into the shorter queue, and of equals into the one here', () => {
    const bare = home({ b: { shortestQueue: 1 } }).busy(1);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'dispatch', rule: 'R4', vm: 1 });
    bare.work(1);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'hand-on', rule: 'R4', host: 'b', what: 'queue' });
  });

  it('into a queue of a neighbour, if no VM here has room', () => {
    const bare = home({ b: { shortestQueue: 9 } }, 1, 0).busy(1);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'hand-on', rule: 'R4', host: 'b', what: 'queue' });
  });

  it('to nobody that is cordoned, lost or has refused it', () => {
    const bare = home({ b: { free: 1, cordoned: true }, c: { free: 1 }, d: { free: 1 } }, 2).busy(1);
    bare.apply({ kind: 'neighbour-lost', host: 'c', why: 'x', nowMs: 0 });
    const request = bare.request();
    bare.apply({ kind: 'request-refused', request, by: 'd', tellings: 1, nowMs: 0 });
    expect(route(bare.fleet, 0, 0, undefined, request)).toEqual({ kind: 'wait', rule: 'R3' });
    expect(route(bare.fleet, 0)).toMatchObject({ kind: 'hand-on', host: 'd' });
    // What it tells after that is news.
    tell(bare, 'd', { free: 1 });
    expect(route(bare.fleet, 0, 0, undefined, request)).toMatchObject({ kind: 'hand-on', host: 'd' });
  });

  it('no further, if another host has handed it on', () => {
    const bare = home({ b: { free: 1 } }, 2).busy(1);
    const request = bare.fleet.requests.open(bare.newRequest({ isHanded: true }), 0);
    expect(route(bare.fleet, 0, 0, undefined, request)).toEqual({ kind: 'wait', rule: 'R3' });
  });

  it(`to ${HOPS_MAX} hosts at most, and then waits for a moment`, () => {
    const bare = home({ b: { free: 9 }, c: { free: 9 }, d: { free: 9 }, e: { free: 9 } }, 2).busy(1);
    const request = bare.request();
    for (let hop = 0; hop < HOPS_MAX; hop++) {
      const decision = route(bare.fleet, 0, 0, undefined, request);
      if (decision.kind !== 'hand-on') throw new Error(`it is not handed on: ${decision.kind}`);
      expect((request.hops?.refusedBy ?? []).map(({ host }) => host)).not.toContain(decision.host);
      bare.apply({ kind: 'request-refused', request, by: decision.host, tellings: 1, nowMs: 0 });
    }
    expect(route(bare.fleet, HOPS_AGAIN_MS - 1, 0, undefined, request)).toEqual({ kind: 'wait', rule: 'R3' });
    expect(route(bare.fleet, HOPS_AGAIN_MS, 0, undefined, request)).toMatchObject({ kind: 'hand-on' });
  });

  it('a burst is spread: what was handed on counts at once, until the neighbour has told that it saw it', () => {
    const bare = home({ b: { free: 2 } }, 2).busy(1);
    const first = hand(bare, 'b');
    hand(bare, 'b');
    expect(route(bare.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    // It told before the second had come.
    tell(bare, 'b', { free: 1 }, first);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    tell(bare, 'b', { free: 2 }, first);
    expect(route(bare.fleet, 0)).toMatchObject({ kind: 'hand-on' });
  });
});

describe('a cordoned host', () => {
  const cordoned = () => home({ b: {} }).apply({ kind: 'cordoned', on: true });

  it('hands on all it can, and serves the rest', () => {
    const bare = cordoned();
    expect(route(bare.fleet, 0)).toMatchObject({ kind: 'dispatch', vm: 1 });
    for (const figures of [{ free: 1 }, { room: 1 }, { shortestQueue: 3 }]) {
      tell(bare, 'b', figures);
      expect(route(bare.fleet, 0)).toMatchObject({ kind: 'hand-on', host: 'b' });
    }
  });

  it('takes nothing, and says so', () => {
    const { fleet } = cordoned();
    expect(takeHanded(fleet, 'free', 0).kind).toBe('refuse');
    expect(figuresOf(fleet, 0)).toMatchObject({ cordoned: true, room: 0 });
    fleet.apply({ kind: 'cordoned', on: false });
    expect(takeHanded(fleet, 'free', 0).kind).toBe('dispatch');
    expect(figuresOf(fleet, 0)).toMatchObject({ cordoned: false, free: 1 });
  });
});

describe('what is handed to a host', () => {
  it('is served, waits for a VM that starts, or is refused', () => {
    const bare = home({}, 2);
    expect(takeHanded(bare.fleet, 'free', 0)).toEqual({ kind: 'dispatch', rule: 'R2', vm: 1 });
    bare.busy(1);
    expect(takeHanded(bare.fleet, 'free', 0).kind).toBe('refuse');
    expect(takeHanded(bare.fleet, 'room', 0)).toEqual({ kind: 'wait', rule: 'R3' });
    bare.wait(1);
    expect(takeHanded(bare.fleet, 'room', 0).kind).toBe('refuse');
    expect(takeHanded(home({}).busy(1).fleet, 'queue', 0)).toEqual({ kind: 'dispatch', rule: 'R4', vm: 1 });
  });

  it('does not overtake those that wait', () => {
    expect(takeHanded(home({}).wait(1).fleet, 'free', 0).kind).toBe('refuse');
    expect(takeHanded(home({}).busy(1).wait(1).fleet, 'queue', 0).kind).toBe('refuse');
  });

  it('is put into a queue only if it came for one', () => {
    expect(takeHanded(home({}).busy(1).fleet, 'room', 0).kind).toBe('refuse');
  });

  it('waits for VMs that start, as far as each takes requests', () => {
    const bare = new BareFleet({ addresses: 1, params: { vm_requests_max: 2 } }).booting(1);
    expect(takeHanded(bare.fleet, 'room', 0).kind).toBe('wait');
    expect(takeHanded(bare.wait(1).fleet, 'room', 0).kind).toBe('wait');
    expect(takeHanded(bare.wait(1).fleet, 'room', 0).kind).toBe('refuse');
  });

  it('is refused by a host that ends, which says so of itself', () => {
    const { fleet } = home({}).apply({ kind: 'closing' });
    expect(takeHanded(fleet, 'free', 0).kind).toBe('refuse');
    expect(figuresOf(fleet, 0)).toMatchObject({ cordoned: true, room: 0 });
  });
});

describe('what a host tells of itself', () => {
  it('is its free slots, the room for VMs, and its shortest queue', () => {
    const bare = home({}, 3);
    expect(figuresOf(bare.fleet, 0)).toMatchObject({ free: 1, room: 2, shortestQueue: 0, idempotent: true });
    expect(figuresOf(bare.busy(1).fleet, 0)).toMatchObject({ free: 0, room: 2, shortestQueue: 1 });
  });

  it('is no free slot and no queue while requests wait, and less room by the VMs that these need', () => {
    const bare = new BareFleet({ addresses: 4, params: { vm_requests_max: 2, vm_backlog_max: 2 } }).ready(1).wait(3);
    expect(figuresOf(bare.fleet, 0)).toMatchObject({ free: 0, room: 1, shortestQueue: null, waiting: 3 });
  });

  it('is room also for the VMs that start', () => {
    expect(figuresOf(new BareFleet({ addresses: 3 }).booting(1).fleet, 0)).toMatchObject({ room: 3, starting: 1 });
  });

  it('is no room if it is cordoned, whatever it could start', () => {
    const bare = home({}, 5).apply({ kind: 'cordoned', on: true });
    expect(figuresOf(bare.fleet, 0)).toMatchObject({ cordoned: true, room: 0 });
  });
});

const figures = fc.record({
  free: fc.nat(5),
  room: fc.nat(5),
  starting: fc.nat(3),
  shortestQueue: fc.option(fc.nat(5)),
  waiting: fc.nat(5),
  cordoned: fc.boolean(),
  idempotent: fc.boolean(),
});

describe('properties', () => {
  it('whatever neighbours told, no more is handed to one than it told of', () => {
    fc.assert(
      fc.property(fc.array(figures, { minLength: 1, maxLength: 6 }), (told) => {
        const bare = home(Object.fromEntries(told.map((one, at) => [`h${at}`, one]))).busy(1);
        const handed = new Map<string, number>();
        for (let n = 0; n < 100; n++) {
          const decision = route(bare.fleet, 0);
          if (decision.kind !== 'hand-on' || decision.what === 'queue') break;
          hand(bare, decision.host);
          handed.set(decision.host, (handed.get(decision.host) ?? 0) + 1);
        }
        for (const [at, { free, room, cordoned }] of told.entries()) {
          const most = cordoned ? 0 : free + room;
          if ((handed.get(`h${at}`) ?? 0) > most) return false;
        }
        return true;
      }),
    );
  });

  it('whatever is handed to a host, in whatever state, no VM is given more than its slots', () => {
    const act = fc.constantFrom('free', 'room', 'queue', 'end', 'own');
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (acts, perVm) => {
        const bare = new BareFleet({ addresses: 3, params: { vm_requests_max: perVm, vm_backlog_max: 2 } }).ready(1, 2);
        for (const what of acts) {
          const working = [...bare.fleet.vms].flatMap((vm) => [...vm.requests])[0];
          if (what === 'end') {
            if (working !== undefined) bare.apply({ kind: 'request-left', request: working, nowMs: 0 });
            continue;
          }
          const decision = what === 'own' ? route(bare.fleet, 0) : takeHanded(bare.fleet, what, 0);
          if (decision.kind === 'dispatch') {
            bare.apply({ kind: 'request-dispatched', request: bare.request(), vm: decision.vm });
          }
        }
        const slots = [...bare.fleet.vms].reduce((sum, { inFlight }) => sum + Math.max(0, perVm - inFlight), 0);
        expect(bare.fleet.freeSlots).toBe(slots);
        for (const { inFlight } of bare.fleet.vms) expect(inFlight).toBeLessThanOrEqual(perVm + 2);
      }),
    );
  });
});

describe('figures are told to other hosts', () => {
  it.each<[string, Partial<HostFigures>, Partial<HostFigures>, boolean]>([
    ['of few free slots each', { free: 2 }, { free: 1 }, true],
    ['two of few that share a power of two differ', { free: 7 }, { free: 6 }, true],
    ['the last free slot', { free: 1 }, { free: 0 }, true],
    ['of many free slots the power of two', { free: 200 }, { free: 60 }, true],
    ['a few of many free slots do not matter', { free: 200 }, { free: 150 }, false],
    ['queues do not matter while a slot is free', { free: 1, shortestQueue: 1 }, { free: 1, shortestQueue: 2 }, false],
    ['queues matter once none is free', { shortestQueue: 1 }, { shortestQueue: 2 }, true],
    ['room matters', { room: 1 }, { room: 2 }, true],
    ['a cordon matters', {}, { cordoned: true }, true],
    ['an image that is idempotent matters', {}, { idempotent: false }, true],
    ['up to eight free slots matter each', { free: 8 }, { free: 7 }, true],
  ])('%s', (_, before, after, isTold) => {
    expect(differ({ ...NOTHING, ...before }, { ...NOTHING, ...after })).toBe(isTold);
  });
});
