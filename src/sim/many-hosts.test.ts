import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../../test/memory-in-use.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { History } from './history.ts';
import type { Report } from './report.ts';
import { type RunResult, simulate } from './run.ts';
import { type FaultRates, HOST_FAULT_NAMES, NO_FAULTS, type Scenario } from './scenario.ts';
import { swarmScenario } from './swarm.ts';
import { World } from './world.ts';

const HOSTS = 3;

function scenarioOf(faults: Partial<FaultRates> = {}, others: Partial<Scenario> = {}): Scenario {
  return {
    ...DEFAULT_SCENARIO,
    hosts: HOSTS,
    durationMs: 30_000,
    addresses: 5,
    load: { kind: 'constant', perSecond: 30 },
    params: { min_vm_count: 2 },
    faults: { ...NO_FAULTS, ...faults },
    ...others,
  };
}

function reportOf(result: RunResult): Report {
  expect(result.ok ? undefined : result.failure).toBeUndefined();
  if (!result.ok) throw new Error('the run failed');
  return result.report;
}

function worldOf(scenario: Scenario): World {
  return new World({ scenario, history: new History() });
}

describe('a world of many hosts', () => {
  it('gives each host machines, addresses and tables of its own, and requests to all of them', async () => {
    const world = worldOf(scenarioOf());
    const { hosts } = await world.run();
    const places = world.hosts.map(({ room }) => [...room.qemus.values()].map(({ spec }) => spec.address.ip));
    expect(places.map((ips) => ips.length)).toEqual([2, 2, 2]);
    expect(new Set(places.flat()).size).toBe(2 * HOSTS);
    for (const { room, disk } of world.hosts) {
      expect(disk.document.vmachine.map(({ id_vmachine }) => id_vmachine)).toEqual([...room.qemus.keys()]);
    }
    expect(hosts.map(({ host }) => host)).toEqual(['host-1', 'host-2', 'host-3']);
    for (const { takenIn, worked } of hosts) expect(Math.min(takenIn, worked)).toBeGreaterThan(100);
  });

  it('has the same history for the same seed', async () => {
    const [one, again] = await Promise.all([simulate(scenarioOf()), simulate(scenarioOf())]);
    expect(reportOf(one).history).toBe(reportOf(again).history);
  });

  it.each(HOST_FAULT_NAMES)('bears %s, also with all others faults that a seed brings', async (name) => {
    const report = reportOf(await simulate(scenarioOf({ [name]: 6 })));
    expect(report.counts[`fault ${name}`]).toBeGreaterThan(0);
    const chaos = reportOf(await simulate(swarmScenario(scenarioOf(), 11, { hosts: HOSTS, faults: { [name]: 6 } })));
    expect(chaos.counts[`fault ${name}`]).toBeGreaterThan(0);
  });

  it('has hosts work for each other, and says so of each', async () => {
    // One client whose bursts are more than a host has VMs for.
    const load = { kind: 'burst', perSecond: 5, peakPerSecond: 300, everyMs: 4_000, forMs: 500 } as const;
    const guest = { ...DEFAULT_SCENARIO.guest, service: { kind: 'constant', ms: 40 } as const };
    const { counts, hosts } = reportOf(await simulate(scenarioOf({}, { load, guest })));
    expect(counts['a request is handed on']).toBeGreaterThan(0);
    const others = hosts.map(({ workedForOthers }) => workedForOthers);
    expect(others.reduce((sum, one) => sum + one, 0)).toBe(counts['a VM works for another host']);
    expect(Math.min(...others)).toBeGreaterThan(0);
  });

  it('has the same history whenever the engine looks for garbage', async () => {
    const scenario = scenarioOf({ hostLeave: 6 }, { durationMs: 10_000 });
    const historyOf = async (look: () => void): Promise<string> => {
      const world = worldOf(scenario);
      for (let atMs = 500; atMs < scenario.durationMs; atMs += 500) world.time.after(atMs, look);
      return (await world.run()).history;
    };
    expect(await historyOf(collectGarbage)).toBe(await historyOf(() => undefined));
  });

  it.each(['router', 'controller'] as const)('has a host stay cordoned when its %s fails', async (which) => {
    const world = worldOf(scenarioOf({}, { hosts: 2, durationMs: 6_000 }));
    const [host] = world.hosts;
    const replyTo = { path: '/administrator', tell: () => true };
    const seen: (boolean | undefined)[] = [];
    const look = (atMs: number): void => {
      world.time.after(atMs, () => void host?.snapshot().then((known) => seen.push(known?.cordoned)));
    };
    look(1_000);
    world.time.after(2_000, () => void host?.life?.core.router.tell({ kind: 'cordon', on: true, replyTo }));
    world.time.after(3_000, () => void host?.crashActor(which));
    look(5_000);
    const { counts } = await world.run();
    expect([counts[`${which}-killed`], seen]).toEqual([1, [false, true]]);
  });

  it('ends the VMs of a host whose power fails, and starts others when it is back', async () => {
    const { counts, vms } = reportOf(await simulate(scenarioOf({ hostCrash: 6 }, { clients: 1 })));
    expect(counts['host-killed']).toBeGreaterThan(0);
    // No VM outlives the power.
    expect(counts['vm-adopted']).toBeUndefined();
    expect(vms.ended).toBeGreaterThanOrEqual(2 * (counts['host-killed'] ?? 0));
  });

  it('has a host leave with its VMs or without them, and adopts those that it left', async () => {
    const { counts } = reportOf(await simulate(scenarioOf({ hostLeave: 30 })));
    expect(counts['host-left']).toBe(counts['host-leaves']);
    expect(counts['neighbour-lost']).toBeGreaterThan(0);
    expect(counts['vm-adopted']).toBeGreaterThan(0);
    expect(counts['host-left-by-force']).toBeUndefined();
  });

  it('has a host that leaves finish or hand on what it has: no request is lost that may not be done twice', async () => {
    const load = { kind: 'constant', perSecond: 200 } as const;
    const guest = { ...DEFAULT_SCENARIO.guest, idempotent: false, service: { kind: 'constant', ms: 40 } as const };
    const { counts, requests } = reportOf(await simulate(scenarioOf({ hostLeave: 30 }, { load, guest })));
    expect(counts['host-left']).toBeGreaterThan(0);
    expect(requests.failed).not.toHaveProperty('REQUEST_VM_FAILED');
  });
});

describe('the checks of many hosts', () => {
  it('miss a host that others do not see when the faults are over', async () => {
    const world = worldOf(scenarioOf({}, { hosts: 2, durationMs: 5_000 }));
    // The servers stay apart.
    world.nats.split(new Set(['host-2', 'client-1']));
    world.nats.unsplit = () => undefined;
    await expect(world.run()).rejects.toThrow('host-1: it sees 0 of 1 other hosts, and all have been up for long');
  });

  it('miss a request that is handed on twice', async () => {
    const world = worldOf(scenarioOf({}, { durationMs: 2_000 }));
    world.checks.sends('r-1', -1);
    world.checks.comes('host-2', new TextEncoder().encode('- -1 '));
    world.time.after(1_000, () => world.checks.handsOn('host-1', 'r-1'));
    await expect(world.run()).rejects.toThrow('host-1 hands on the request r-1, which another host has handed to it');
  });

  it('miss an outcome that nobody was told', async () => {
    const world = worldOf(scenarioOf({}, { durationMs: 2_000 }));
    world.recorder.sent();
    await expect(world.run()).rejects.toThrow(/^(\d+) requests were sent, and \d+ outcomes were told/);
  });
});
