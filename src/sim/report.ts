import type { Rule } from '../fleet/mod.ts';
import type { History } from './history.ts';
import type { MachineRoom } from './machine-room.ts';
import { type Sample, Samples } from './samples.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What a run came to. Times are milliseconds, memory is bytes. */
export interface Report {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly requests: {
    readonly sent: number;
    readonly ok: number;
    /** By the code of the client's error. */
    readonly failed: Readonly<Record<string, number>>;
    /** From the call to the reply, of those that succeeded. */
    readonly latencyMs: Quantiles | null;
    /** The part of it before a VM began to work on the request: 0 for a reply that was kept. */
    readonly queuedMs: Quantiles | null;
  };
  readonly vms: {
    readonly started: number;
    /** Those of them that became ready, each once. */
    readonly ready: number;
    /** QEMUs that ended, however. */
    readonly ended: number;
    /** VMs that were started because requests waited, used spares among them. */
    readonly coldStarts: number;
    readonly vmSeconds: number;
    readonly peak: number;
    readonly bytesAllocatedOverUsed: number;
  };
  /** One of each host, in their order. */
  readonly hosts: readonly HostReport[];
  /** Events by kind, of fleet and world. */
  readonly counts: Readonly<Record<string, number>>;
  /** Events by the rule that caused them. */
  readonly rules: Readonly<Record<string, number>>;
  /** The same by kind: a VM that leaves is drained, then told to stop. */
  readonly ruleEvents: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly samples: readonly Sample[];
  readonly events: number;
  /** SHA-256 of the history. */
  readonly history: string;
}

/** What became of one host. */
export interface HostReport {
  readonly host: string;
  /** VMs that were started. */
  readonly started: number;
  /** VMs that run at the end. */
  readonly vms: number;
  /** Requests and repeats that NATS gave to it. */
  readonly takenIn: number;
  /** Requests that its VMs began to work on. */
  readonly worked: number;
  /** Of these, those that came to other hosts. */
  readonly workedForOthers: number;
}

/** A host, as far as it is measured. */
interface MeasuredHost extends Pick<HostReport, 'takenIn' | 'worked' | 'workedForOthers'> {
  readonly name: string;
  readonly room: MachineRoom;
}

interface Measured {
  readonly time: VirtualTime;
  readonly hosts: readonly MeasuredHost[];
}

/** Collects the figures of a run. */
export class Recorder {
  readonly #seed: number;
  readonly #counts = new Map<string, number>();
  readonly #rules = new Map<Rule, Map<string, number>>();
  readonly #failed = new Map<string, number>();
  readonly #latencies: number[] = [];
  readonly #queued: number[] = [];
  /** When a VM began to work on a request that has not ended, by its number. */
  readonly #beganMs = new Map<string, number>();
  readonly #ready = new Set<string>();
  readonly #samples = new Samples();
  #recent: number[] = [];
  #sentNow = 0;
  #sent = 0;
  #running = 0;
  #peak = 0;
  #coldStarts = 0;
  #allocated = 0;
  #used = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  rule(rule: Rule, kind: string): void {
    const kinds = this.#rules.get(rule) ?? new Map<string, number>();
    this.#rules.set(rule, kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
  }

  coldStart(): void {
    this.#coldStarts += 1;
  }

  /** A VM of a host is ready, perhaps again: each Shoal that adopts one says so. */
  vmReady(vm: string): void {
    this.#ready.add(vm);
  }

  /** How many VMs were ready so far. */
  get readyVms(): number {
    return this.#ready.size;
  }

  qemus(change: 1 | -1): void {
    this.#running += change;
    this.#peak = Math.max(this.#peak, this.#running);
  }

  /** Requests that were sent, and outcomes that were told. */
  get ledger(): { readonly sent: number; readonly ended: number } {
    const failed = [...this.#failed.values()].reduce((sum, one) => sum + one, 0);
    return { sent: this.#sent, ended: this.#latencies.length + failed };
  }

  sent(): void {
    this.#sent += 1;
    this.#sentNow += 1;
  }

  /** A VM begins to work on the request. Of several, the last one counts. */
  began(number: string, atMs: number): void {
    this.#beganMs.set(number, atMs);
  }

  succeeded(number: string, sentMs: number, atMs: number): void {
    this.#latencies.push(atMs - sentMs);
    this.#recent.push(atMs - sentMs);
    this.#queued.push(Math.max(0, (this.#beganMs.get(number) ?? sentMs) - sentMs));
    this.#beganMs.delete(number);
  }

  failed(number: string, code: string): void {
    this.#beganMs.delete(number);
    this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1);
  }

  sample({ time, hosts }: Measured): void {
    const vms = this.#running;
    for (const { room } of hosts) {
      for (const { spec, isAlive, guest } of room.qemus.values()) {
        if (!isAlive) continue;
        this.#allocated += spec.memoryMib * 1024 * 1024;
        this.#used += guest.ramBytes;
      }
    }
    const recent = this.#recent.sort((one, other) => one - other);
    const latencyP95Ms = recent.length === 0 ? null : rounded(quantile(recent, 0.95));
    this.#samples.add({ atMs: time.nowMs, sent: this.#sentNow, vms, latencyP95Ms });
    this.#recent = [];
    this.#sentNow = 0;
  }

  report({ time, hosts, history }: Measured & { readonly history: History }): Report {
    const rules = [...this.#rules].sort();
    return {
      seed: this.#seed,
      simulatedMs: time.nowMs,
      requests: {
        sent: this.#sent,
        ok: this.#latencies.length,
        failed: Object.fromEntries(this.#failed),
        latencyMs: quantilesOf(this.#latencies),
        queuedMs: quantilesOf(this.#queued),
      },
      vms: {
        started: hosts.reduce((sum, { room }) => sum + room.started, 0),
        ready: this.readyVms,
        ended: this.#counts.get('qemu-ended') ?? 0,
        coldStarts: this.#coldStarts,
        vmSeconds: rounded(hosts.reduce((sum, { room }) => sum + room.vmMsUntilNow(), 0) / 1_000),
        peak: this.#peak,
        bytesAllocatedOverUsed: this.#used === 0 ? 0 : rounded(this.#allocated / this.#used),
      },
      hosts: hosts.map(({ name, room, takenIn, worked, workedForOthers }) => {
        return { host: name, started: room.started, vms: room.running, takenIn, worked, workedForOthers };
      }),
      counts: Object.fromEntries([...this.#counts].sort()),
      rules: Object.fromEntries(
        rules.map(([rule, kinds]) => [rule, [...kinds.values()].reduce((sum, one) => sum + one, 0)]),
      ),
      ruleEvents: Object.fromEntries(rules.map(([rule, kinds]) => [rule, Object.fromEntries([...kinds].sort())])),
      samples: this.#samples.all(),
      events: history.count,
      history: history.digest(),
    };
  }
}

/** @returns null if there is no value: 0 ms would be a figure like any other */
function quantilesOf(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const of = (share: number): number => rounded(quantile(sorted, share));
  return { p50: of(0.5), p95: of(0.95), p99: of(0.99), max: of(1) };
}

function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[at] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
