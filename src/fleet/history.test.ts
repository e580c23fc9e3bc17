import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FleetDecision } from './decision.ts';
import { Fleet } from './fleet.ts';
import { makeParams } from './params.ts';
import { parsePool } from './pool.ts';
import { capacityToCome, route } from './route.ts';
import { step } from './step.ts';
import type { Transition } from './transition.ts';
import type { VmId } from './vm.ts';
import { isStarting, type Vm } from './vm-record.ts';
import type { Work } from './work.ts';

/** Generated fleets, parameters and histories: what the rules promise, on whatever came before. */
const anyParams = fc
  .record({
    min_vm_count: fc.nat(4),
    free_count: fc.integer({ min: 1, max: 3 }),
    vm_requests_max: fc.integer({ min: 1, max: 3 }),
    vm_backlog_max: fc.nat(3),
    router_queue_max: fc.nat(20),
    spare_vm_count: fc.nat(2),
    stuck_ms: fc.nat(3_000),
  })
  .map((values) => makeParams(values));

const anyVm = fc.integer({ min: 1, max: 12 });
const anyHost = fc.constantFrom('a', 'b');

/** What may be told at any time, fitting or not. */
const anyFact = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('request' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('progress' as const), vm: anyVm }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('end' as const), vm: anyVm, fault: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('report' as const),
      vm: anyVm,
      seq: fc.nat(12),
      cpuPercent: fc.oneof(fc.integer({ min: -1, max: 101 }), fc.constantFrom(0, Number.NaN)),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('all-sound' as const) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('all-idle' as const) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('drain' as const), vm: anyVm }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('adopt' as const), id: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('gone' as const), vm: anyVm, bindFailed: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('unlinked' as const), vm: anyVm }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('host' as const), host: anyHost, up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('params' as const), params: anyParams }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('time' as const),
      ms: fc.oneof({ weight: 5, arbitrary: fc.nat(500) }, { weight: 1, arbitrary: fc.nat(20_000) }),
    }),
  },
);

type Fact = typeof anyFact extends fc.Arbitrary<infer T> ? T : never;

const anyHistory = fc.record({
  params: anyParams,
  addresses: fc.integer({ min: 1, max: 8 }),
  routing: fc.constantFrom('pack' as const, 'spread' as const),
  facts: fc.array(anyFact, { maxLength: 80 }),
});

/** A fleet with the requests that are on its VMs; it obeys every decision, as the keeper does. */
class History implements Work {
  readonly fleet: Fleet;
  nowMs = 0;
  #lastVm = 0;
  readonly #deadlines = new Map<VmId, number[]>();

  constructor({
    params,
    addresses,
    routing,
  }: { params: Fleet['params']; addresses: number; routing: 'pack' | 'spread' }) {
    this.fleet = new Fleet(params, parsePool(`10.0.0.1-10.0.0.${addresses}:9000`), routing);
    for (const host of ['a', 'b']) this.fleet.apply({ kind: 'host-up', host, nowMs: 0 });
  }

  oldestDeadlineMs(vm: VmId): number | undefined {
    return this.#deadlines.get(vm)?.[0];
  }

  lastDeadlineMs(vm: VmId): number | undefined {
    return this.#deadlines.get(vm)?.at(-1);
  }

  dispatch(vm: VmId): void {
    this.fleet.apply({ kind: 'dispatched', vm });
    this.#deadlines.set(vm, [...(this.#deadlines.get(vm) ?? []), this.nowMs + 5_000]);
  }

  end(vm: VmId, fault?: boolean): void {
    if (this.fleet.apply({ kind: 'ended', vm, nowMs: this.nowMs, fault })) this.#deadlines.get(vm)?.shift();
  }

  serve(): void {
    while (this.fleet.waiting > 0) {
      const decision = route(this.fleet, this.nowMs, this.fleet.waiting - 1);
      if (decision.kind !== 'dispatch') return;
      this.fleet.apply({ kind: 'waiting', change: -1 });
      this.dispatch(decision.vm);
    }
  }

  carryOut(decision: FleetDecision): void {
    const { nowMs } = this;
    switch (decision.kind) {
      case 'start':
      case 'prepare': {
        const spare = decision.kind === 'start' ? decision.spare : undefined;
        if (spare !== undefined) return this.must({ kind: 'vm-wanted', vm: spare, nowMs });
        const { host, address } = decision;
        const vm = ++this.#lastVm;
        return this.must({ kind: 'vm-reserved', vm, host, address, spare: decision.kind === 'prepare', nowMs });
      }
      case 'drain':
        return this.must({ kind: 'vm-draining', vm: decision.vm, why: decision.why, ejected: decision.ejected });
      case 'stop':
        return this.must({ kind: 'vm-stopping', vm: decision.vm, why: decision.why, failed: false });
      case 'host-down':
        return this.must({ kind: 'host-down', host: decision.host, nowMs });
    }
  }

  /** What is decided fits what is known. */
  must(event: Transition): void {
    expect([event, this.fleet.apply(event)]).toEqual([event, true]);
  }

  happens(fact: Fact): void {
    const { fleet, nowMs } = this;
    switch (fact.what) {
      case 'request':
        fleet.apply({ kind: 'waiting', change: 1 });
        return this.serve();
      case 'progress':
        return this.#progress(fleet.vm(fact.vm));
      case 'end':
        this.end(fact.vm, fact.fault);
        return this.serve();
      case 'report': {
        const { vm, seq, cpuPercent } = fact;
        fleet.apply({ kind: 'vm-report', vm, report: { seq, cpuPercent, ramBytes: 1, inFlight: 0, served: 0 }, nowMs });
        return;
      }
      case 'all-sound':
        for (let n = 0; n < 4; n++) for (const vm of [...fleet.vms]) this.#progress(vm);
        return;
      case 'all-idle':
        for (const vm of fleet.vms) {
          const report = { seq: (vm.report?.seq ?? 0) + 1, cpuPercent: 0, ramBytes: 1, inFlight: 0, served: 0 };
          fleet.apply({ kind: 'vm-report', vm: vm.id, report, nowMs });
        }
        return;
      case 'drain':
        fleet.apply({ kind: 'vm-draining', vm: fact.vm, why: 'asked', ejected: false });
        return;
      case 'adopt': {
        const address = { id: fact.id, ip: `10.0.0.${fact.id}`, port: 9_000 };
        const free = fleet.holder(address) === undefined && fleet.vm(100 + fact.id) === undefined;
        const adopted = { vm: 100 + fact.id, host: 'a', address, spare: false, nowMs, state: 'booting' } as const;
        expect(fleet.apply({ kind: 'vm-reserved', ...adopted })).toBe(free);
        return;
      }
      case 'gone':
        return this.#gone(fleet.vm(fact.vm), fact.bindFailed);
      case 'unlinked':
        fleet.apply({ kind: 'vm-linked', vm: fact.vm, linked: false, nowMs });
        while ((fleet.vm(fact.vm)?.inFlight ?? 0) > 0) this.end(fact.vm);
        return;
      case 'host':
        fleet.apply({ kind: fact.up ? 'host-up' : 'host-down', host: fact.host, nowMs });
        return this.serve();
      case 'params':
        fleet.apply({ kind: 'params', params: fact.params });
        return this.serve();
      case 'time':
        this.nowMs += fact.ms;
        return;
    }
  }

  /** The next thing that a sound host and guest would do. */
  #progress(vm: Vm | undefined): void {
    if (vm === undefined) return;
    const { nowMs } = this;
    if (vm.state === 'preparing') this.fleet.apply({ kind: 'vm-prepared', vm: vm.id });
    else if (vm.state === 'prepared' && !vm.spare) this.fleet.apply({ kind: 'vm-booting', vm: vm.id, nowMs });
    else if (vm.state === 'stopping') this.#gone(vm, false);
    else if (!vm.linked && vm.bootMs !== undefined)
      this.fleet.apply({ kind: 'vm-linked', vm: vm.id, linked: true, nowMs });
    this.serve();
  }

  #gone(vm: Vm | undefined, bindFailed: boolean): void {
    if (vm === undefined) return;
    const { id, address } = vm;
    while ((this.fleet.vm(id)?.inFlight ?? 0) > 0) this.end(id);
    this.must({ kind: 'vm-gone', vm: id, bindFailed, nowMs: this.nowMs });
    this.must({ kind: 'released', vm: id, address });
    expect(this.fleet.apply({ kind: 'released', vm: id, address })).toBe(false);
  }
}

/** Plays a history and lets `look` see each step before it is carried out. */
function play(
  given: typeof anyHistory extends fc.Arbitrary<infer T> ? T : never,
  look: (history: History, decisions: readonly FleetDecision[]) => void,
): void {
  const history = new History(given);
  for (const fact of given.facts) {
    history.happens(fact);
    const decisions = step(history.fleet, history.nowMs, history);
    look(history, decisions);
    for (const decision of decisions) history.carryOut(decision);
    history.serve();
  }
}

describe('whatever happened before', () => {
  it('no address is held by two VMs, the pool is never exceeded, and each address is owned or free', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet, nowMs }) => {
          const held = [...fleet.vms].map((vm) => vm.address.id);
          expect(new Set(held).size).toBe(held.length);
          for (const vm of fleet.vms) expect(fleet.holder(vm.address)).toBe(vm.id);
          for (const entry of fleet.pool) {
            if (entry.vm !== undefined) expect(fleet.vm(entry.vm)?.address.id).toBe(entry.address.id);
          }
          const free = [...fleet.freeAddresses(nowMs)].map((address) => address.id);
          expect(free.filter((id) => held.includes(id))).toEqual([]);
        }),
      ),
    );
  });

  it('no decision takes a host below its minimum', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          for (const host of ['a', 'b']) {
            const ready = [...fleet.vms].filter((vm) => vm.host === host && vm.state === 'ready').map((vm) => vm.id);
            const surplus = decisions.filter((it) => it.kind === 'drain' && it.rule === 'R5' && ready.includes(it.vm));
            const others = decisions.filter(
              (it) => (it.kind === 'stop' || (it.kind === 'drain' && it.rule !== 'R5')) && ready.includes(it.vm),
            );
            const left = ready.length - surplus.length - others.length;
            if (surplus.length > 0) expect(left).toBeGreaterThanOrEqual(fleet.params.minVmCount);
          }
        }),
      ),
    );
  });

  it('no more is started than the minimum, the waiting requests and the ejected VMs need', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          const by = (rule: string) => decisions.filter((it) => it.kind === 'start' && it.rule === rule).length;
          const leaving = new Set(
            decisions.flatMap((it) => (it.kind === 'stop' || it.kind === 'drain' ? [it.vm] : [])),
          );
          const toCome =
            [...fleet.vms].filter((vm) => isStarting(vm) && !leaving.has(vm.id)).length + by('R1') + by('R2');
          const { vmRequestsMax, minVmCount } = fleet.params;
          const missing = Math.max(0, Math.ceil(fleet.waiting / vmRequestsMax) - toCome);
          expect(by('R3')).toBeLessThanOrEqual(missing);
          expect(by('R1')).toBeLessThanOrEqual(2 * minVmCount);
          expect(by('R2')).toBeLessThanOrEqual(decisions.filter((it) => it.kind === 'drain' && it.ejected).length);
          const starts = decisions.flatMap((it) =>
            it.kind === 'start' || it.kind === 'prepare' ? [it.address.id] : [],
          );
          expect(new Set(starts).size).toBe(starts.length);
        }),
      ),
    );
  });

  it('no VM is told two things at once, and none is ended over work that somebody may wait for, but by R6', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, (history, decisions) => {
          const told = decisions.flatMap((it) => (it.kind === 'stop' || it.kind === 'drain' ? [it.vm] : []));
          expect(new Set(told).size).toBe(told.length);
          for (const it of decisions) {
            if (it.kind !== 'stop' || it.rule === 'R6') continue;
            const lastMs = history.lastDeadlineMs(it.vm);
            const inFlight = history.fleet.vm(it.vm)?.inFlight ?? 0;
            if (inFlight > 0) expect(lastMs).toBeLessThanOrEqual(history.nowMs);
          }
        }),
      ),
    );
  });

  it('a request goes to a VM that is ready and linked, within its limits, and never waits while one is free', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet, nowMs }) => {
          const { vmRequestsMax, vmBacklogMax, routerQueueMax } = fleet.params;
          const decision = route(fleet, nowMs);
          const free = [...fleet.vms].filter((vm) => vm.state === 'ready' && vm.linked && vm.inFlight < vmRequestsMax);
          if (decision.kind === 'dispatch') {
            const vm = fleet.vm(decision.vm);
            expect([vm?.state, vm?.linked]).toEqual(['ready', true]);
            const limit = decision.rule === 'R2' ? vmRequestsMax : vmRequestsMax + vmBacklogMax;
            expect(vm?.inFlight).toBeLessThan(limit);
          } else {
            expect(free).toEqual([]);
            expect(decision.kind).toBe(fleet.waiting < routerQueueMax ? 'wait' : 'refuse');
          }
        }),
      ),
    );
  });

  it('the indexes say what a search would', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }) => {
          const { vmRequestsMax } = fleet.params;
          const vms = [...fleet.vms];
          const byFill = (a: Vm, b: Vm) =>
            fleet.routing === 'pack' ? b.inFlight - a.inFlight : a.inFlight - b.inFlight;
          const free = vms.filter((vm) => vm.state === 'ready' && vm.linked && vm.inFlight < vmRequestsMax);
          expect(fleet.freeVm()).toBe(free.sort((a, b) => byFill(a, b) || a.id - b.id)[0]?.id);
          expect(fleet.starting).toBe(vms.filter(isStarting).length);
          expect(capacityToCome(fleet)).toBe(fleet.starting * vmRequestsMax);
          expect(fleet.waiting).toBeGreaterThanOrEqual(0);
        }),
      ),
    );
  });

  it('a repeated, older or impossible report changes nothing', () => {
    fc.assert(
      fc.property(anyHistory, anyVm, fc.nat(12), (given, id, seq) => {
        play(given, ({ fleet, nowMs }) => {
          const vm = fleet.vm(id);
          if (vm?.report === undefined) return;
          const before = { ...vm };
          const old = { ...vm.report, seq: Math.min(seq, vm.report.seq) };
          const absurd = { ...vm.report, seq: vm.report.seq + 1, cpuPercent: 1e9 };
          for (const report of [old, absurd]) fleet.apply({ kind: 'vm-report', vm: id, report, nowMs });
          expect(vm).toEqual(before);
        });
      }),
    );
  });

  it('a VM whose host is out of reach is told nothing', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          for (const it of decisions) {
            if (it.kind === 'stop' || it.kind === 'drain') expect(fleet.vm(it.vm)?.state).not.toBe('unknown');
            if (it.kind === 'start' || it.kind === 'prepare') expect(fleet.host(it.host)?.downMs).toBeUndefined();
          }
        }),
      ),
    );
  });
});
