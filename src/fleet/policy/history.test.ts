import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostEvent } from '../router/host-messages.ts';
import { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Transition } from '../state/transition.ts';
import { isStarting, type Vm } from '../state/vm.ts';
import { makeParams, type Params } from '../values/params.ts';
import { parsePool } from '../values/parse-pool.ts';
import type { Request } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';
import { admit } from './admission.ts';
import type { FleetDecision } from './decision.ts';
import { enact, enactStart } from './enact.ts';
import { onCommand } from './on-command.ts';
import { onHostEvent } from './on-host-event.ts';
import { onLinkLost, onLinkReady } from './on-link-event.ts';
import { onWriteFailed, onWritten, type Write } from './on-write.ts';
import type { Reaction } from './reaction.ts';
import { capacityToCome, route } from './route.ts';
import { step } from './step.ts';

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

/** What may be told at any time, fitting or not. */
const anyFact = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('request' as const), withinMs: fc.integer({ min: 1, max: 9_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('progress' as const), vm: anyVm }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('end' as const), vm: anyVm, fault: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('report' as const),
      vm: anyVm,
      seq: fc.nat(12),
      inFlight: fc.nat(1),
      cpuPercent: fc.oneof(fc.integer({ min: -1, max: 101 }), fc.constantFrom(0, Number.NaN)),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('all-sound' as const) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('all-idle' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('command' as const),
      kind: fc.constantFrom('drain-vm' as const, 'remove-vm' as const),
      vm: anyVm,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('scale' as const), vmCount: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('adopt' as const), id: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('gone' as const),
      vm: anyVm,
      bindFailed: fc.boolean(),
      verdict: fc.constantFrom(undefined, 'stuck' as const, 'dead' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('unlinked' as const), vm: anyVm, sent: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('host' as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('params' as const), params: anyParams }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('write-fails' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('paused' as const), ms: fc.nat(30_000) }) },
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

const guest = { textBytesMax: 1 << 20, idempotent: true, operations: ['upper'] };
const NOBODY = { path: 'nobody', tell: () => true };

/** A fleet to which things happen. It obeys every decision and reaction by folding their transitions, and nothing else. */
class History {
  readonly fleet: Fleet;
  nowMs = 0;
  /** Addresses whose VM may have a process: prepared, and not confirmed gone. */
  readonly processes = new Map<VmId, string>();
  readonly answered: OpenRequest[] = [];
  #lastVm = 0;
  #lastRequest = 0;
  #writes: { readonly vm: VmId; readonly write: Write }[] = [];

  constructor({ params, addresses, routing }: { params: Params; addresses: number; routing: 'pack' | 'spread' }) {
    const pool = parsePool(`10.0.0.1-10.0.0.${addresses}:9000`);
    this.fleet = new Fleet({ host: 'here', params, pool, routing, nowMs: 0 });
    this.hears({ kind: 'host-up', host: 'here' });
  }

  hears(event: HostEvent): void {
    this.react(onHostEvent(this.fleet, event, { nowMs: this.nowMs, epochMs: this.nowMs }));
  }

  react({ transitions, effects }: Reaction): void {
    for (const transition of transitions) this.must(transition);
    for (const effect of effects) {
      if (effect.kind === 'command') {
        const { command } = effect;
        if (command.kind === 'prepare') this.processes.set(command.vm, command.address.ip);
      } else if (effect.kind === 'write-reservation') this.#writes.push({ vm: effect.vm, write: 'reserve' });
      else if (effect.kind === 'write-release') this.#writes.push({ vm: effect.vm, write: 'release' });
      else if (effect.kind === 'answer') this.answer(effect.request);
    }
  }

  /** A transition that the policy returns fits what is known. */
  must(transition: Transition): void {
    expect([transition.kind, this.fleet.apply(transition)]).toEqual([transition.kind, true]);
  }

  answer(request: OpenRequest): void {
    this.answered.push(request);
    this.fleet.requests.end(request, { ok: false, status: 502, message: 'for a test' });
  }

  serve(): void {
    const { requests } = this.fleet;
    for (let next = requests.firstInLine; next !== undefined; next = requests.firstInLine) {
      const decision = route(this.fleet, this.nowMs, requests.waiting - 1);
      if (decision.kind !== 'dispatch') return;
      this.must({ kind: 'request-left', request: next, nowMs: this.nowMs });
      this.must({ kind: 'request-dispatched', request: next, vm: decision.vm });
    }
  }

  end(vm: VmId, fault?: boolean): void {
    const request = this.fleet.vm(vm)?.requests.first;
    if (request === undefined) return;
    this.must({ kind: 'request-left', request, nowMs: this.nowMs, fault });
    this.answer(request);
  }

  settle(fails: boolean): void {
    const { nowMs } = this;
    for (const { vm, write } of this.#writes.splice(0)) {
      const retries = fails && write === 'release';
      if (retries) this.#writes.push({ vm, write });
      else if (fails) this.react(onWriteFailed(this.fleet, vm, write, new Error('disk full'), nowMs));
      else this.react(onWritten(this.fleet, vm, write, nowMs));
    }
  }

  decided(decision: FleetDecision): void {
    if (decision.kind === 'start') this.react(enactStart(this.fleet, decision, ++this.#lastVm, this.nowMs));
    else this.react(enact(this.fleet, decision, this.nowMs));
  }

  happens(fact: Fact): void {
    const { fleet, nowMs } = this;
    switch (fact.what) {
      case 'request':
        return this.#request(fact.withinMs);
      case 'progress':
        return this.#progress(fleet.vm(fact.vm));
      case 'end':
        this.end(fact.vm, fact.fault);
        return this.serve();
      case 'report': {
        const { vm, seq, cpuPercent, inFlight } = fact;
        const report = { seq, cpuPercent, ramBytes: 1, inFlight, served: 0 };
        return this.hears({ kind: 'vm-report', host: 'here', vm, report, atMs: nowMs });
      }
      case 'all-sound':
        this.settle(false);
        for (let n = 0; n < 4; n++) for (const vm of [...fleet.vms]) this.#progress(vm);
        return;
      case 'all-idle':
        for (const vm of [...fleet.vms]) {
          const report = { seq: (vm.report?.seq ?? 0) + 1, cpuPercent: 0, ramBytes: 1, inFlight: 0, served: 0 };
          this.hears({ kind: 'vm-report', host: 'here', vm: vm.id, report, atMs: nowMs });
        }
        this.nowMs += 1_000;
        return;
      case 'command':
        return this.react(onCommand(fleet, { kind: fact.kind, vm: fact.vm, replyTo: NOBODY }, nowMs));
      case 'scale':
        return this.react(onCommand(fleet, { kind: 'scale', vmCount: fact.vmCount, replyTo: NOBODY }, nowMs));
      case 'restart':
        return this.react(onCommand(fleet, { kind: 'restart-vms', vms: 'all', replyTo: NOBODY }, nowMs));
      case 'adopt': {
        const address = { id: fact.id, ip: `10.0.0.${fact.id}`, port: 9_000 };
        const vm = 100 + fact.id;
        if (fleet.holder(address) === undefined) this.processes.set(vm, address.ip);
        return this.hears({ kind: 'vm-adopted', host: 'here', vm, address, pid: 1, startedMs: 0, state: 'answering' });
      }
      case 'gone':
        return this.#gone(fact);
      case 'unlinked': {
        const frames = [...(fleet.vm(fact.vm)?.requests ?? [])].map(({ frame }) => frame);
        const [sent, unsent] = fact.sent ? [frames, []] : [[], frames];
        this.react(onLinkLost(fleet, { kind: 'link-lost', vm: fact.vm, sent, unsent, why: 'reset' }, nowMs));
        return this.serve();
      }
      case 'host':
        this.hears(fact.up ? { kind: 'host-up', host: 'here' } : { kind: 'host-down', host: 'here', why: 'silent' });
        return this.serve();
      case 'params':
        this.must({ kind: 'params', params: fact.params });
        return this.serve();
      case 'write-fails':
        return this.settle(true);
      case 'paused':
        this.nowMs += fact.ms;
        return this.must({ kind: 'paused', forMs: fact.ms });
      case 'time':
        this.nowMs += fact.ms;
        return;
    }
  }

  #request(withinMs: number): void {
    const request: Request = {
      requestId: `r${++this.#lastRequest}`,
      op: '',
      payload: new Uint8Array(0),
      deadlineMs: this.nowMs + withinMs,
      retry: true,
      token: new Uint8Array(0),
      replyTo: NOBODY,
    };
    const admission = admit(this.fleet, request, this.nowMs);
    if (admission.kind !== 'dispatch' && admission.kind !== 'wait') return;
    const open = this.fleet.requests.open(request);
    if (admission.kind === 'wait') this.must({ kind: 'request-waits', request: open, where: 'last' });
    else this.must({ kind: 'request-dispatched', request: open, vm: admission.vm });
  }

  /** The next thing that a sound host and guest would do. */
  #progress(vm: Vm | undefined): void {
    if (vm === undefined) return;
    const { id, state } = vm;
    if (state === 'preparing') this.hears({ kind: 'vm-prepared', host: 'here', vm: id, pid: id, imageDigest: 'x' });
    else if (state === 'stopping') this.#gone({ vm: id, bindFailed: false, verdict: undefined });
    else if (!vm.linked && vm.bootMs !== undefined) {
      this.hears({ kind: 'vm-answering', host: 'here', vm: id, guest });
      this.react(onLinkReady(this.fleet, id, this.nowMs));
    }
    this.serve();
  }

  #gone({ vm, bindFailed, verdict }: { vm: VmId; bindFailed: boolean; verdict: 'stuck' | 'dead' | undefined }): void {
    if (this.fleet.vm(vm) === undefined) return;
    this.processes.delete(vm);
    const end = { clean: false, why: 'exited', exitCode: 1, ...(verdict === undefined ? {} : { verdict }) };
    const error = { name: 'ShoalError', code: 'PORT_TAKEN', message: 'taken', details: {} };
    this.hears({ kind: 'vm-gone', host: 'here', vm, end, ...(bindFailed ? { error } : {}) });
    this.serve();
  }
}

/** Says that a look has carried the decisions out itself. */
const CARRIED_OUT = Symbol('carried out');

/** Plays a history and lets `look` see each step before it is carried out. */
function play(
  given: typeof anyHistory extends fc.Arbitrary<infer T> ? T : never,
  look: (history: History, decisions: readonly FleetDecision[]) => unknown,
): void {
  const history = new History(given);
  for (const fact of given.facts) {
    history.happens(fact);
    const decisions = step(history.fleet, history.nowMs);
    if (look(history, decisions) !== CARRIED_OUT) for (const decision of decisions) history.decided(decision);
    history.serve();
  }
}

/** VMs that the decisions end. */
function endedBy(decisions: readonly FleetDecision[], rule?: string): readonly VmId[] {
  return decisions.flatMap((one) => {
    const ends = one.kind === 'stop' || one.kind === 'drain';
    return ends && (rule === undefined || one.rule === rule) ? [one.vm] : [];
  });
}

function startsBy(decisions: readonly FleetDecision[], rule: string): number {
  return decisions.filter((one) => (one.kind === 'want' || (one.kind === 'start' && !one.spare)) && one.rule === rule)
    .length;
}

describe('whatever happened before', () => {
  it('no address is held by two VMs, the pool is never exceeded, and each address is owned or free', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet, nowMs, processes }) => {
          const held = [...fleet.vms].map((vm) => vm.address.id);
          expect(new Set(held).size).toBe(held.length);
          for (const vm of fleet.vms) expect(fleet.holder(vm.address)).toBe(vm.id);
          for (const { vm, address } of fleet.pool) {
            if (vm === undefined) continue;
            expect(fleet.vm(vm)?.address.id ?? fleet.releasing.get(vm)?.id).toBe(address.id);
          }
          const free = [...fleet.freeAddresses(nowMs)].map((address) => address.ip);
          expect(free.filter((ip) => [...processes.values()].includes(ip))).toEqual([]);
          expect(new Set(processes.values()).size).toBe(processes.size);
        }),
      ),
    );
  });

  it('no decision takes the host below its minimum', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          const surplus = new Set(
            decisions.flatMap((one) => (one.kind === 'drain' && one.rule === 'R5' ? [one.vm] : [])),
          );
          if (surplus.size === 0) return;
          const ended = new Set(endedBy(decisions));
          const left = [...fleet.group('serving')].filter((vm) => !ended.has(vm.id)).length;
          expect(left).toBeGreaterThanOrEqual(fleet.params.minVmCount);
        }),
      ),
    );
  });

  it('no more is started than the minimum, the waiting requests and the ejected VMs need', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          const leaving = new Set(endedBy(decisions));
          const running = [...fleet.vms].filter((vm) => isStarting(vm) && !leaving.has(vm.id)).length;
          const toCome = running + startsBy(decisions, 'R1') + startsBy(decisions, 'R2');
          const { vmRequestsMax, minVmCount } = fleet.params;
          const missing = Math.max(0, Math.ceil(fleet.requests.waiting / vmRequestsMax) - toCome);
          expect(startsBy(decisions, 'R3')).toBeLessThanOrEqual(missing);
          expect(startsBy(decisions, 'R1')).toBeLessThanOrEqual(minVmCount);
          const ejected = decisions.filter((one) => one.kind === 'drain' && one.ejected).length;
          expect(startsBy(decisions, 'R2')).toBeLessThanOrEqual(ejected);
          expect(startsBy(decisions, 'command')).toBeLessThanOrEqual(1);
          const places = decisions.flatMap((one) =>
            one.kind === 'start' ? [one.address.id] : one.kind === 'want' ? [fleet.vm(one.vm)?.address.id] : [],
          );
          expect(new Set(places).size).toBe(places.length);
        }),
      ),
    );
  });

  it('at most half of the fleet is ejected or being replaced', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          const ejects = decisions.filter((one) => one.kind === 'drain' && one.ejected).length;
          if (ejects === 0) return;
          const others = new Set(endedBy(decisions.filter((one) => !(one.kind === 'drain' && one.ejected))));
          const ready = [...fleet.group('ready')].filter((vm) => !others.has(vm.id) || vm.faults >= 3).length;
          const starting = [...fleet.group('starting')].filter((vm) => !others.has(vm.id)).length;
          const away = fleet.group('ejected').size + starting + ejects;
          const all = ready + starting + fleet.group('ejected').size;
          expect(away).toBeLessThanOrEqual(Math.max(1, Math.floor(all / 2)));
        }),
      ),
    );
  });

  it('no VM is told two things at once, and none is ended over work that somebody may wait for, but by R6', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet, nowMs }, decisions) => {
          for (const kind of ['stop', 'drain'] as const) {
            const told = decisions.flatMap((one) => (one.kind === kind ? [one.vm] : []));
            expect(new Set(told).size).toBe(told.length);
          }
          for (const one of decisions) {
            if (one.kind !== 'stop' || one.rule === 'R6') continue;
            const waited = [...(fleet.vm(one.vm)?.requests ?? [])].filter(({ deadlineMs }) => deadlineMs > nowMs);
            expect(waited).toEqual([]);
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
          const isUp = fleet.host.reach === 'up';
          const free = [...fleet.vms].filter((vm) => vm.state === 'ready' && vm.linked && vm.inFlight < vmRequestsMax);
          if (decision.kind === 'dispatch') {
            const vm = fleet.vm(decision.vm);
            expect([vm?.state, vm?.linked, isUp]).toEqual(['ready', true, true]);
            const limit = decision.rule === 'R2' ? vmRequestsMax : vmRequestsMax + vmBacklogMax;
            expect(vm?.inFlight).toBeLessThan(limit);
          } else {
            if (isUp) expect(free).toEqual([]);
            if (decision.kind === 'refuse') expect(fleet.requests.waiting).toBeGreaterThanOrEqual(routerQueueMax);
          }
        }),
      ),
    );
  });

  it('the indexes say what a search would', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }) => {
          const { vmRequestsMax, vmBacklogMax, freeCount } = fleet.params;
          const vms = [...fleet.vms];
          const isAway = fleet.host.reach === 'away';
          const byFill = (a: Vm, b: Vm) =>
            fleet.routing === 'pack' ? b.inFlight - a.inFlight : a.inFlight - b.inFlight;
          const byLoad = (a: Vm, b: Vm) =>
            a.inFlight - b.inFlight ||
            (a.report?.cpuPercent ?? 0) - (b.report?.cpuPercent ?? 0) ||
            (a.report?.ramBytes ?? 0) - (b.report?.ramBytes ?? 0);
          const serving = vms.filter((vm) => vm.state === 'ready' && vm.linked && !isAway);
          const below = (limit: number) => serving.filter((vm) => vm.inFlight < limit);
          const free = below(vmRequestsMax).sort((a, b) => byFill(a, b) || a.id - b.id);
          const roomy = below(vmRequestsMax + vmBacklogMax).sort((a, b) => byLoad(a, b) || a.id - b.id);
          expect([fleet.freeVm?.id, fleet.leastLoaded?.id]).toEqual([free[0]?.id, roomy[0]?.id]);
          expect(fleet.starting).toBe(isAway ? 0 : vms.filter(isStarting).length);
          expect(capacityToCome(fleet)).toBe(fleet.starting * vmRequestsMax);
          const inState = (state: string) => vms.filter((vm) => vm.state === state).map((vm) => vm.id);
          for (const state of ['ready', 'booting', 'draining', 'stopping', 'preparing'] as const) {
            expect([...fleet.group(state)].map((vm) => vm.id).sort()).toEqual(inState(state).sort());
          }
          const surplus = vms.filter((vm) => vm.state === 'ready' && vm.linked && vm.freeCount >= freeCount);
          expect(fleet.group('surplus').size).toBe(surplus.length);
          const heard = [...fleet.heard].map((vm) => vm.heardMs ?? Number.NaN);
          expect(heard).toEqual([...heard].sort((a, b) => a - b));
          expect(fleet.requests.dispatched).toBe(vms.reduce((sum, vm) => sum + vm.inFlight, 0));
        }),
      ),
    );
  });

  it('a repeated, older or impossible report changes nothing', () => {
    fc.assert(
      fc.property(anyHistory, anyVm, fc.nat(12), (given, id, seq) => {
        play(given, (history) => {
          const vm = history.fleet.vm(id);
          if (vm?.report === undefined || history.fleet.host.reach !== 'up') return;
          const before = { ...vm };
          const old = { ...vm.report, seq: Math.min(seq, vm.report.seq) };
          const absurd = { ...vm.report, seq: vm.report.seq + 1, cpuPercent: 1e9 };
          for (const report of [old, absurd]) {
            history.hears({ kind: 'vm-report', host: 'here', vm: id, report, atMs: history.nowMs });
          }
          expect({ ...vm }).toEqual(before);
        });
      }),
    );
  });

  it('VMs of a host out of reach are told nothing', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet }, decisions) => {
          if (fleet.host.reach === 'away') expect(decisions).toEqual([]);
        }),
      ),
    );
  });

  it('a step sees its own effects: the next one, at the same moment, has nothing left to decide', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, (history, decisions) => {
          for (const decision of decisions) history.decided(decision);
          const again = step(history.fleet, history.nowMs).filter(({ kind }) => kind !== 'ask' && kind !== 'blocked');
          expect(again).toEqual([]);
          return CARRIED_OUT;
        }),
      ),
    );
  });
});
