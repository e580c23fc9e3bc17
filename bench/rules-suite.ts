import { systemClock } from '../src/actors/mod.ts';
import { Fleet, isAtRest, openRequest, RequestPath, route, step } from '../src/fleet/kit/mod.ts';
import { makeParams } from '../src/fleet/mod.ts';
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

/** Makes a fleet of that many VMs. @returns the call to measure */
type Case = (vms: number) => () => unknown;

const CASES: Readonly<Record<string, Case>> = {
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
  'at-rest': (vms) => {
    const fleet = readyFleet(vms);
    return () => isAtRest(fleet, NOW_MS);
  },
};

/** The cost of the router's judgements with many VMs, beside the same with a hundred. In memory: no VM runs. */
export async function* rulesSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
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
  const path = new RequestPath(fleet, links, systemClock, undefined, () => undefined);
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
function microseconds(call: () => unknown): number {
  let calls = 0;
  let sink: unknown;
  const before = process.cpuUsage();
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < MEASURED_MS) {
    for (let again = 0; again < CALLS_A_LOOK; again++) sink = call();
    calls += CALLS_A_LOOK;
    elapsedMs = performance.now() - startMs;
  }
  // A call that found nothing would look fast.
  if (sink === undefined) throw new Error('the call returns what it found');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** All VMs are ready, none is surplus, and each address has its VM. */
function readyFleet(vms: number): Fleet {
  const pool = Array.from({ length: vms }, (_, at) => ({ id: at + 1, ip: ipOf(at), port: 9_000 }));
  const fleet = new Fleet({ host: 'bench', params: makeParams(), pool, nowMs: 0 });
  fleet.apply({ kind: 'host-up', nowMs: NOW_MS });
  for (const [at, address] of pool.entries()) {
    const vm = at + 1;
    fleet.apply({ kind: 'vm-reserved', vm, address, spare: false, nowMs: NOW_MS });
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

/** Each VM works on a request and no address is free, so R4 chooses among them. */
function busyFleet(vms: number): Fleet {
  const fleet = readyFleet(vms);
  for (let vm = 1; vm <= vms; vm++) {
    fleet.apply({ kind: 'request-dispatched', request: openRequest(request(vm)), vm });
  }
  if (fleet.freeVm !== undefined) throw new Error('no VM is free');
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
