import { SPARE_BOOTED } from '../fleet/mod.ts';
import type { Duration } from './duration.ts';
import { type Given, withGiven } from './given.ts';
import type { Shape } from './load.ts';
import { Chance } from './random.ts';
import { type FaultRates, HOST_FAULT_NAMES, NO_FAULTS, type Scenario, SHOAL_FAULT_NAMES } from './scenario.ts';

/** What a test run may go through in a minute, at the most, of each fault. */
const RATE_MAX: FaultRates = {
  vmCrash: 6,
  vmHang: 3,
  linkCut: 6,
  consoleCut: 2,
  shoalCrash: 3,
  routerCrash: 3,
  controllerCrash: 3,
  vmActorCrash: 6,
  shardCrash: 3,
  launcherCrash: 6,
  shoalPause: 2,
  partition: 2,
  clockStep: 2,
  diskFull: 2,
  slowBoots: 2,
  brokenImage: 1,
  parameterChange: 4,
  command: 4,
  deploy: 6,
  hostCrash: 2,
  hostLeave: 2,
  hostMute: 2,
  hostDeaf: 2,
  hostStall: 6,
  split: 2,
};

/** Of the scenarios, those with more than one host, and how many hosts these have at the most. */
const MANY_HOSTS = 0.4;
const HOSTS_MAX = 4;
/** Of the scenarios, those whose commands are relayed (R10). */
const RELAYS = 0.25;
/** Of the scenarios, those whose images take and give bytes. */
const BYTES = 0.3;
/** Of the scenarios, those whose VMs have other memory than their image usually has. */
const OTHER_MEMORY = 0.2;
/** Of the scenarios, those whose spares, if they have any, are to boot ahead of their use. */
const BOOTED_SPARES = 0.4;
/** Of the scenarios, those with deploys. */
const DEPLOYS = 0.35;

/**
 * A scenario that a seed decides, within what `base` says of durations. Each takes some of the faults and not all, because faults hide each
 * other (swarm testing: Groce et al., 2012), and has small tables, so that limits are met.
 * @param given what the seed does not decide; the rest is as it would be without
 */
export function swarmScenario(base: Scenario, seed: number, given: Given = {}): Scenario {
  const chance = new Chance(seed).stream('scenario');
  const share = chance.fraction() * 0.8;
  const faults = { ...NO_FAULTS };
  for (const name of SHOAL_FAULT_NAMES) {
    const rate = Math.round(RATE_MAX[name] * chance.fraction() * 100) / 100;
    if (chance.happens(share)) faults[name] = rate;
  }
  const hasBadNetwork = chance.happens(share);
  const hasBadHost = chance.happens(share);
  const minimum = chance.below(4);
  const decided: Scenario = {
    ...base,
    seed,
    durationMs: 20_000 + chance.below(60_000),
    load: someLoad(chance),
    addresses: 1 + chance.below(10),
    memoryBytes: Math.floor((chance.happens(0.2) ? 0.55 + chance.fraction() * 0.3 : 8) * 1024 ** 3),
    params: {
      min_vm_count: minimum,
      free_count: 1 + chance.below(5),
      spare_vm_count: chance.happens(0.5) ? chance.below(3) : 0,
      vm_requests_max: chance.happens(0.3) ? 1 + chance.below(8) : 1,
      vm_backlog_max: chance.oneOf([0, 1, 4, 16]) ?? 16,
      router_queue_max: chance.oneOf([0, 10, 1_000, 10_000]) ?? 10_000,
    },
    deadlineMs: chance.oneOf([500, 5_000, 30_000]) ?? 30_000,
    clients: 1 + chance.below(4),
    repeats: chance.happens(0.5) ? 0.2 : 0,
    reusedIds: chance.happens(0.3) ? 0.3 : 0,
    guest: {
      ...base.guest,
      service: someService(chance),
      idempotent: chance.happens(0.7),
      brokenBoots: hasBadHost ? 0.05 : 0,
    },
    host: { ...base.host, failedStarts: hasBadHost ? 0.05 : 0 },
    network: {
      lost: hasBadNetwork ? 0.005 : 0,
      doubled: hasBadNetwork ? 0.01 : 0,
      late: hasBadNetwork ? 0.02 : 0,
      lateMs: { kind: 'uniform', fromMs: 1, toMs: 800 },
    },
    disk: { ...base.disk, write: chance.happens(0.3) ? { kind: 'uniform', fromMs: 1, toMs: 300 } : base.disk.write },
    faults,
    deadlyRequests: chance.happens(0.2) ? 0.03 : 0,
  };
  const deploying = withDeploys(decided, new Chance(seed).stream('deploys'));
  const relaying = withRelays(deploying, new Chance(seed).stream('relays'));
  const sparing = withBootedSpares(relaying, new Chance(seed).stream('spares'));
  const sized = withBytes(withMemory(sparing, new Chance(seed).stream('memory')), new Chance(seed).stream('payload'));
  return withGiven(withHosts(sized, new Chance(seed).stream('hosts'), share), given);
}

/** Requests and replies with content types. */
function withBytes(scenario: Scenario, chance: Chance): Scenario {
  return chance.happens(BYTES) ? { ...scenario, guest: { ...scenario.guest, payload: 'bytes' } } : scenario;
}

/** VMs with other memory than their image usually has. */
function withMemory(scenario: Scenario, chance: Chance): Scenario {
  if (!chance.happens(OTHER_MEMORY)) return scenario;
  const vm_memory_bytes = (chance.oneOf([8, 24, 64]) ?? 64) * 1024 ** 2;
  return { ...scenario, params: { ...scenario.params, vm_memory_bytes } };
}

/** In a stream of its own, so that the rest of a seed is what it was. */
function withRelays(scenario: Scenario, chance: Chance): Scenario {
  if (!chance.happens(RELAYS)) return scenario;
  return { ...scenario, control: 'relay', guest: { ...scenario.guest, hostileRelays: 0.6 * chance.fraction() } };
}

/** In a stream of its own, so that the rest of a seed is what it was. */
function withDeploys(scenario: Scenario, chance: Chance): Scenario {
  if (!chance.happens(DEPLOYS)) return scenario;
  const deploy = Math.round(RATE_MAX.deploy * (0.3 + 0.7 * chance.fraction()) * 100) / 100;
  return { ...scenario, faults: { ...scenario.faults, deploy } };
}

/** In a stream of its own, so that the rest of a seed is what it was. */
function withBootedSpares(scenario: Scenario, chance: Chance): Scenario {
  if (!chance.happens(BOOTED_SPARES)) return scenario;
  return { ...scenario, params: { ...scenario.params, spare_state: SPARE_BOOTED } };
}

/** In a stream of its own, so that with one host a seed is what it was. */
function withHosts(scenario: Scenario, chance: Chance, share: number): Scenario {
  if (!chance.happens(MANY_HOSTS)) return scenario;
  const faults = { ...scenario.faults };
  for (const name of HOST_FAULT_NAMES) {
    // A fault that came later has a stream of its own, too.
    const own = name === 'hostStall' ? new Chance(scenario.seed).stream(name) : chance;
    const rate = Math.round(RATE_MAX[name] * own.fraction() * 100) / 100;
    if (own.happens(share)) faults[name] = rate;
  }
  return { ...scenario, hosts: 2 + chance.below(HOSTS_MAX - 1), faults };
}

function someLoad(chance: Chance): Shape {
  const low = chance.fraction() * 5;
  const high = low + chance.fraction() * 60;
  switch (chance.below(4)) {
    case 0:
      return { kind: 'constant', perSecond: high / 3 + 0.1 };
    case 1:
      return { kind: 'step', perSecond: low, toPerSecond: high + 0.1, atMs: 5_000 + chance.below(15_000) };
    case 2:
      return { kind: 'sine', fromPerSecond: low, toPerSecond: high + 0.1, periodMs: 10_000 + chance.below(30_000) };
    default:
      return {
        kind: 'burst',
        perSecond: low,
        peakPerSecond: 2 * high + 0.1,
        everyMs: 5_000 + chance.below(20_000),
        forMs: 500 + chance.below(4_000),
      };
  }
}

function someService(chance: Chance): Duration {
  const medianMs = chance.oneOf([1, 10, 50, 150]) ?? 10;
  return { kind: 'lognormal', medianMs, sigma: chance.fraction() };
}
