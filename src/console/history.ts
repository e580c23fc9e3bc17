import type { FleetSnapshot, VmState } from '../fleet/mod.ts';

/** What a person needs to know of a VM's state at a glance. */
export type Phase = 'ready' | 'starting' | 'leaving' | 'lost';

export type PhaseCounts = Readonly<Record<Phase, number>>;

/** One look at the fleet, as the charts show it. */
export interface Sample {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** VMs by phase. */
  readonly vms: PhaseCounts;
  /** Requests answered a second since the look before. */
  readonly requestsPerSecond: number;
  /** How many have been answered since the server started: the next look makes a rate of it. */
  readonly answered: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** Mean over the VMs that have reported, % of their virtual CPUs. */
  readonly cpuPercent: number;
}

/** A quarter of an hour at a look a second: more than the widest terminal has cells. */
const SAMPLES_MAX = 900;

/** The latest looks, oldest first. */
export class History {
  readonly #samples: Sample[] = [];

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** @param atMs monotonic milliseconds */
  add(snapshot: FleetSnapshot, atMs: number): void {
    this.#samples.push(sampleOf(snapshot, atMs, this.#samples.at(-1)));
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }
}

export function sampleOf(snapshot: FleetSnapshot, atMs: number, before?: Sample): Sample {
  const { vms, waiting, requests } = snapshot;
  const answered = requests.ok + sum(Object.values(requests.failed));
  return {
    atMs,
    vms: phasesOf(snapshot),
    requestsPerSecond: before === undefined ? 0 : rate(answered - before.answered, atMs - before.atMs),
    answered,
    inFlight: sum(vms.map((vm) => vm.in_flight)),
    waiting,
    cpuPercent: mean(vms.flatMap((vm) => vm.cpu ?? [])),
  };
}

export function phasesOf({ vms }: Pick<FleetSnapshot, 'vms'>): PhaseCounts {
  const counts = { ready: 0, starting: 0, leaving: 0, lost: 0 };
  for (const { state } of vms) counts[phaseOf(state)] += 1;
  return counts;
}

export function phaseOf(state: VmState): Phase {
  switch (state) {
    case 'ready':
      return 'ready';
    case 'preparing':
    case 'prepared':
    case 'booting':
      return 'starting';
    case 'draining':
    case 'stopping':
    case 'gone':
      return 'leaving';
    default:
      // A newer server may have states that are not here.
      return 'lost';
  }
}

/** A count that went back is one of a server that was started anew. */
function rate(count: number, overMs: number): number {
  return count <= 0 || overMs <= 0 ? 0 : (count * 1_000) / overMs;
}

function mean(figures: readonly number[]): number {
  return figures.length === 0 ? 0 : sum(figures) / figures.length;
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
