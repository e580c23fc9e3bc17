import { systemClock } from '../src/actors/mod.ts';
import { Fleet, isAtRest, openRequest, RequestPath, route, step } from '../src/fleet/kit/mod.ts';
import { makeParams } from '../src/fleet/mod.ts';
import { heapOfAVm } from '../src/sim/mod.ts';
import { memoryInUse } from '../test/memory-in-use.ts';
import { compare, type Row } from './compare.ts';

const FEW = 100;
const MANY = [10_000, 100_000];
const ROUNDS = 7;
const MEASURED_MS = 60;
/** Calls between two looks at the clock. */
const CALLS_A_LOOK = 64;
const NOW_MS = 1_000;
/** A rule reads figures that are kept, so the number of VMs must not matter. */
const COST_MAX = 1.5;

/** A prime, so that it has no divisor in common with the number of VMs. */
const STRIDE = 7_919;
/** Requests that are under way at a time. */
const BURST = 16;
/** How much later each report comes than the one before. */
const REPORT_MS = 0.01;
/** What they cost is memory that no cache holds: they claim nothing. */
const WITHOUT_GOAL: ReadonlySet<string> = new Set(['report-from-all', 'look-at-all']);

/** Most of a VM's heap beyond its machine. */
const HEAP_BYTES_MAX = 4_096;
/** Enough that what any number of VMs takes counts for little, and few enough to make within a minute. */
const SIMULATED_VMS = 30_000;
/** Those that go are sorted: a little more than linear, and the caches of a CPU are left. */
const STEP_COST_MAX = 4;

/** Makes a fleet of that many VMs. @returns the call to measure */
type Case = (vms: number) => () => unknown;

const CASES: Readonly<Record<string, Case>> = {
  'route-one-free': (vms) => {
    const fleet = busyFleet(vms, 1);
    return () => route(fleet, NOW_MS);
  },
  'route-all-busy': (vms) => {
    const fleet = busyFleet(vms);
    return () => route(fleet, NOW_MS);
  },
  // Always from the same hundred VMs, so that only the work of a report can differ.
  report: (vms) => reports(vms, 1, FEW),
  // From all VMs in turn: the records of 100 000 do not fit into the caches of a CPU.
  'report-from-all': (vms) => reports(vms, STRIDE, vms),
  // The least that a message from any of them can cost: one VM is found by its id, and one figure of it is read.
  'look-at-all': (vms) => {
    const fleet = readyFleet(vms);
    let calls = 0;
    return () => fleet.vm(1 + ((++calls * STRIDE) % vms))?.freeCount;
  },
  request: (vms) => requests(vms),
  'quiet-step': (vms) => {
    const fleet = readyFleet(vms);
    return () => step(fleet, NOW_MS);
  },
  // As after a start with so many VMs, when each that becomes ready makes a step.
  'step-while-all-start': (vms) => {
    const fleet = startingFleet(vms);
    return () => step(fleet, NOW_MS);
  },
  'at-rest': (vms) => {
    const fleet = readyFleet(vms);
    return () => isAtRest(fleet, NOW_MS);
  },
};

/** The cost of the router's judgements with many VMs, beside the same with a hundred. In memory: no VM runs. */
export async function* policySuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  for (const [what, open] of Object.entries(CASES)) {
    for (const vms of MANY) {
      const name = `${what}-among-${vms}`;
      if (!wanted(name)) continue;
      const [many, few] = [open(vms), open(FEW)];
      yield await compare({
        name,
        unit: 'us',
        ...(WITHOUT_GOAL.has(what) ? {} : { goal: { atMost: COST_MAX } }),
        rounds: ROUNDS,
        ours: async () => microseconds(many),
        baseline: async () => microseconds(few),
      });
    }
  }
  if (wanted('full-step-a-vm')) yield await fullStep();
  yield* heap(wanted);
}

/** All VMs are surplus and go in one step: its cost for each VM. */
async function fullStep(): Promise<Row> {
  const vms = MANY.at(-1) ?? FEW;
  const [many, few] = [surplusFleet(vms), surplusFleet(FEW)];
  const ofAll = (fleet: Fleet): number => step(fleet, NOW_MS).length;
  if (ofAll(many) < vms) throw new Error('not all VMs go');
  return compare({
    name: 'full-step-a-vm',
    unit: 'us',
    goal: { atMost: STEP_COST_MAX },
    rounds: ROUNDS,
    ours: async () => microseconds(() => ofAll(many), 1) / vms,
    baseline: async () => microseconds(() => ofAll(few)) / FEW,
  });
}

/** Bytes of heap for each VM, beside the aim. */
async function* heap(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('heap-of-a-vm-in-the-rules')) {
    const vms = MANY.at(-1) ?? FEW;
    yield await compare({
      name: 'heap-of-a-vm-in-the-rules',
      unit: 'B',
      goal: { atMost: 1 },
      rounds: 1,
      ours: async () => {
        const before = heapUsed();
        const fleet = readyFleet(vms);
        const bytes = heapUsed() - before;
        return fleet.vmCount === vms ? bytes / vms : Number.NaN;
      },
      baseline: async () => HEAP_BYTES_MAX,
    });
  }
  if (!wanted('heap-of-a-vm-in-all')) return;
  // The actors, links and consoles of a VM too; without the simulated machine.
  yield await compare({
    name: 'heap-of-a-vm-in-all',
    unit: 'B',
    goal: { atMost: 1 },
    rounds: 1,
    ours: async () => {
      const { whole, machine } = await heapOfAVm(SIMULATED_VMS, heapUsed);
      return whole - machine;
    },
    baseline: async () => HEAP_BYTES_MAX,
  });
}

function heapUsed(): number {
  return memoryInUse().heapBytes;
}

function reports(vms: number, stride: number, among: number): () => unknown {
  const fleet = readyFleet(vms);
  let seq = 1;
  let nowMs = NOW_MS;
  return () => {
    const vm = 1 + ((seq * stride) % among);
    nowMs += REPORT_MS;
    return fleet.apply({ kind: 'vm-report', vm, report: report(++seq), nowMs });
  };
}

/** The router's own part of requests, from their arrival to their ends. One call is one request, of which its VM tells an end later. */
function requests(vms: number): () => unknown {
  const fleet = readyFleet(vms);
  const sent: { readonly vm: number; readonly id: number }[] = [];
  const links = {
    tell: (vm: number, { kind, id }: { readonly kind: string; readonly id?: number }): boolean => {
      if (kind === 'request' && id !== undefined) sent.push({ vm, id });
      return true;
    },
  };
  const path = new RequestPath(fleet, links, systemClock, {}, () => undefined);
  const payload = new Uint8Array(4);
  let id = 0;
  return () => {
    path.accept(request(++id), NOW_MS);
    if (sent.length < BURST) return id;
    for (const { vm, id: frame } of sent.splice(0)) {
      path.reply({ kind: 'link-reply', vm, id: frame, payload }, NOW_MS);
    }
    return id;
  };
}

/** The mean CPU time of a call, that of the garbage collector's threads included. */
function microseconds(call: () => unknown, callsALook = CALLS_A_LOOK): number {
  let calls = 0;
  let sink: unknown;
  const before = process.cpuUsage();
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < MEASURED_MS) {
    for (let again = 0; again < callsALook; again++) sink = call();
    calls += callsALook;
    elapsedMs = performance.now() - startMs;
  }
  // A call that found nothing would look fast.
  if (sink === undefined) throw new Error('the call returns what it found');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** All VMs are being made, and each address has its VM. */
function startingFleet(vms: number): Fleet {
  const pool = poolOf(vms);
  const fleet = new Fleet({ host: 'bench', params: makeParams(), pool, nowMs: 0 });
  fleet.apply({ kind: 'host-up', nowMs: NOW_MS });
  for (const [at, address] of pool.entries()) {
    fleet.apply({ kind: 'vm-reserved', vm: at + 1, address, spare: false, nowMs: NOW_MS });
  }
  return fleet;
}

/** All VMs are ready and have been idle for long, and none need stay. */
function surplusFleet(vms: number): Fleet {
  const fleet = readyFleet(vms);
  for (let seq = 2; seq <= 4; seq++) {
    const nowMs = NOW_MS * seq;
    for (let vm = 1; vm <= vms; vm++) {
      fleet.apply({ kind: 'vm-report', vm, report: { ...report(seq), cpuPercent: 0 }, nowMs });
    }
  }
  fleet.apply({ kind: 'params', params: makeParams({ free_count: 1, min_vm_count: 0 }) });
  return fleet;
}

function poolOf(vms: number): { id: number; ip: string; port: number }[] {
  return Array.from({ length: vms }, (_, at) => ({ id: at + 1, ip: ipOf(at), port: 9_000 }));
}

/** All VMs are ready, none is surplus, and each address has its VM. */
function readyFleet(vms: number): Fleet {
  const fleet = startingFleet(vms);
  for (const { id: vm } of [...fleet.vms]) {
    fleet.apply({ kind: 'vm-durable', vm });
    fleet.apply({ kind: 'vm-prepared', vm, pid: vm, imageDigest: undefined });
    fleet.apply({ kind: 'vm-booting', vm, nowMs: NOW_MS });
    fleet.apply({ kind: 'vm-answering', vm, guest: { textBytesMax: 1_024, idempotent: true, operations: ['upper'] } });
    fleet.apply({ kind: 'vm-linked', vm, linked: true, nowMs: NOW_MS });
    fleet.apply({ kind: 'vm-report', vm, report: report(1), nowMs: NOW_MS });
  }
  if (fleet.group('ready').size !== vms) throw new Error(`${vms} VMs are ready`);
  return fleet;
}

/** Each VM but the last `free` works on a request, and no address is free: without one that is free, R4 chooses among them. */
function busyFleet(vms: number, free = 0): Fleet {
  const fleet = readyFleet(vms);
  for (let vm = 1; vm <= vms - free; vm++) {
    fleet.apply({ kind: 'request-dispatched', request: openRequest(request(vm)), vm });
  }
  if ((fleet.freeVm !== undefined) !== free > 0) throw new Error(`${free} VMs are free`);
  return fleet;
}

function request(id: number): Parameters<typeof openRequest>[0] {
  const replyTo = { path: 'bench', tell: () => true };
  const none = new Uint8Array(0);
  return {
    requestId: String(id),
    isIdGenerated: true,
    op: '',
    payload: none,
    deadlineMs: 30_000,
    retry: true,
    token: none,
    replyTo,
  };
}

function report(seq: number) {
  return { seq, cpuPercent: (seq % 90) + 5, ramBytes: 1_000_000, inFlight: 0, served: 0 };
}

function ipOf(at: number): string {
  return `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
}
