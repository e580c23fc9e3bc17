import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyHistory, anyVm, CARRIED_OUT, type Given, play } from '../kit/history.ts';
import { isStarting, type Vm } from '../state/vm.ts';
import { CONSIDERED_MAX } from '../values/considered.ts';
import { makeParams } from '../values/params.ts';
import type { VmId } from '../values/vm-id.ts';
import type { FleetDecision } from './decision.ts';
import { capacityToCome, route } from './route.ts';
import { step } from './step.ts';

/** VMs that the decisions end. */
function endedBy(decisions: readonly FleetDecision[], rule?: string): readonly VmId[] {
  return decisions.flatMap((one) => {
    const ends = one.kind === 'stop' || one.kind === 'drain';
    return ends && (rule === undefined || one.rule === rule) ? [one.vm] : [];
  });
}

function startsBy(decisions: readonly FleetDecision[], rule: string): number {
  return decisions.filter(
    (one) => (one.kind === 'use-spare' || (one.kind === 'start' && !one.spare)) && one.rule === rule,
  ).length;
}

/** A VM whose link is down is ejected, and told to stop in the same step. Another one was adopted beside the pool. */
const EJECTED_AND_STOPPED: Given = {
  params: makeParams({ min_vm_count: 3, last_connect_ms: 5_000, boot_timeout_ms: 10_000 }),
  addresses: 3,
  routing: 'pack',
  facts: [
    { what: 'time', ms: 0 },
    { what: 'all-sound' },
    { what: 'unlinked', vm: 1, sent: false },
    { what: 'adopt', id: 4 },
    { what: 'time', ms: 5_000 },
  ],
};

/** The VM that is to take another's place is ended while it boots, and there is a spare. */
const REPLACEMENT_ENDS: Given = {
  params: makeParams({ min_vm_count: 1, spare_vm_count: 1, last_connect_ms: 5_000, boot_timeout_ms: 10_000 }),
  addresses: 3,
  routing: 'pack',
  facts: [{ what: 'write-fails' }, { what: 'all-sound' }, { what: 'restart' }, { what: 'time', ms: 10_000 }],
};

describe('whatever happened before', () => {
  it('no address is held by two VMs, the pool is never exceeded, and each address is owned or free', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, ({ fleet, nowMs, processes }) => {
          const intruders = new Set(fleet.pool.flatMap((entry) => entry.trouble.intruders));
          const held = [...fleet.vms].filter((vm) => !intruders.has(vm.id)).map((vm) => vm.address.id);
          expect(new Set(held).size).toBe(held.length);
          for (const vm of fleet.vms) if (!intruders.has(vm.id)) expect(fleet.holder(vm.address)).toBe(vm.id);
          for (const { vm, address } of fleet.pool) {
            if (vm === undefined) continue;
            expect(fleet.vm(vm)?.address.id ?? fleet.releasing.get(vm)?.[0]?.id).toBe(address.id);
          }
          const free = [...fleet.freeAddresses(nowMs)].map((address) => address.ip);
          expect(free.filter((ip) => [...processes.values()].includes(ip))).toEqual([]);
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
            one.kind === 'start' ? [one.address.id] : one.kind === 'use-spare' ? [fleet.vm(one.vm)?.address.id] : [],
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
          const ejected = new Set(endedBy(decisions.filter((one) => one.kind === 'drain' && one.ejected)));
          const ejects = ejected.size;
          if (ejects === 0) return;
          // One that has nothing in hand is told to stop in the same step.
          const others = new Set(endedBy(decisions).filter((vm) => !ejected.has(vm)));
          const ready = [...fleet.group('ready')].filter((vm) => !others.has(vm.id)).length;
          const starting = [...fleet.group('starting')].filter((vm) => !others.has(vm.id)).length;
          const away = fleet.group('ejected').size + starting + ejects;
          const all = ready + starting + fleet.group('ejected').size;
          expect(away).toBeLessThanOrEqual(Math.max(1, Math.floor(all / 2)));
        }),
      ),
      { examples: [[EJECTED_AND_STOPPED]] },
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
            history.hears({ kind: 'vm-report', vm: id, report, atMs: history.nowMs });
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
          // Clients are not its VMs: they are told why they wait.
          if (fleet.host.reach === 'away') expect(decisions.filter(({ kind }) => kind !== 'waiting')).toEqual([]);
        }),
      ),
    );
  });

  it('each start, drain and stop says what else was considered, in few words', () => {
    fc.assert(
      fc.property(anyHistory, (given) =>
        play(given, (_, decisions) => {
          for (const decision of decisions) {
            if (!['start', 'use-spare', 'drain', 'stop'].includes(decision.kind)) continue;
            const { length = 0 } = ('considered' in decision ? decision.considered : undefined) ?? [];
            expect([decision, length > 0 && length <= CONSIDERED_MAX + 1]).toEqual([decision, true]);
          }
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
      { examples: [[REPLACEMENT_ENDS]] },
    );
  });
});
