import type { FleetDecision } from '../policy/decision.ts';
import { onHostEvent } from '../policy/on-host-event.ts';
import { step } from '../policy/step.ts';
import { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Transition } from '../state/transition.ts';
import type { NewVm } from '../state/vm.ts';
import type { Routing } from '../state/vm-index.ts';
import type { DeployState } from '../values/deploy.ts';
import type { GuestReport } from '../values/guest.ts';
import { makeParams } from '../values/params.ts';
import { parsePool } from '../values/parse-pool.ts';
import type { Control } from '../values/relay.ts';
import type { Request } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';

/** A deploy whose canary is tried. */
export const DEPLOY: DeployState = {
  id: 1,
  image: 'new',
  before: 'old',
  canary: 1,
  canaryMs: 10_000,
  phase: 'canary',
  why: null,
};

export interface BareFleetOptions {
  /** Under the names of the table. */
  readonly params?: Readonly<Record<string, number>>;
  /** How many addresses; default 10. */
  readonly addresses?: number;
  /** Whether the host has told at once what it adopted, which is nothing; default true. */
  readonly isUp?: boolean;
  readonly routing?: Routing;
  readonly control?: Control;
  /** As of `RouterOptions`. */
  readonly census?: number;
  /** The image that VMs are started from; default: none is known. */
  readonly image?: string;
  readonly deploy?: DeployState;
}

/** A fleet without an actor: a test brings VMs into the states that it needs, and asks the rules about them. */
export class BareFleet {
  readonly fleet: Fleet;
  /** Monotonic milliseconds. */
  nowMs = 0;
  readonly #seq = new Map<VmId, number>();
  #lastRequest = 0;

  constructor({ params, addresses = 10, isUp = true, routing, control, census, image, deploy }: BareFleetOptions = {}) {
    this.fleet = new Fleet({
      host: 'here',
      params: makeParams({ min_vm_count: 0, ...params }),
      pool: parsePool(`10.0.0.1-10.0.0.${addresses}:9000`),
      routing,
      control,
      census,
      image,
      deploy,
      nowMs: 0,
    });
    if (isUp) this.apply({ kind: 'host-up', nowMs: 0 });
  }

  /** @throws Error if the transition does not fit */
  apply(...transitions: readonly Transition[]): this {
    for (const transition of transitions) {
      if (!this.fleet.apply(transition)) throw new Error(`${transition.kind} does not fit`);
    }
    return this;
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** The VM has the address of its own number. */
  preparing(vm: VmId, fields: Partial<NewVm> = {}): this {
    const address = { id: vm, ip: `10.0.0.${vm}`, port: 9_000 };
    return this.apply({ kind: 'vm-reserved', vm, address, spare: false, nowMs: this.nowMs, ...fields });
  }

  prepared(vm: VmId, fields: Partial<NewVm> = {}): this {
    return this.preparing(vm, fields).apply(
      { kind: 'vm-durable', vm },
      { kind: 'vm-prepared', vm, pid: vm, imageDigest: fields.imageDigest ?? 'x' },
    );
  }

  booting(vm: VmId, fields: Partial<NewVm> = {}): this {
    return this.prepared(vm, fields).apply({ kind: 'vm-booting', vm, nowMs: this.nowMs });
  }

  /** Ready and in reach of requests, without a report yet. */
  mute(vm: VmId, fields: Partial<NewVm> = {}): this {
    const guest = { textBytesMax: 1 << 20, idempotent: true, operations: ['upper'] };
    return this.booting(vm, fields).apply({ kind: 'vm-answering', vm, guest }).link(vm, true);
  }

  /** Ready, in reach of requests, and heard of once. */
  ready(...vms: readonly VmId[]): this {
    for (const vm of vms) this.mute(vm).report(vm, { cpuPercent: 50 });
    return this;
  }

  /** Ready, of that image. */
  readyOf(imageDigest: string, vm: VmId, fields: Partial<NewVm> = {}): this {
    return this.mute(vm, { imageDigest, ...fields }).report(vm, { cpuPercent: 50 });
  }

  /** The VM answers so many requests, some of them with an error. */
  answers(vm: VmId, count: number, errors = 0): this {
    for (let n = 0; n < count; n++) {
      const request = this.work(vm);
      this.apply({ kind: 'request-left', request, nowMs: this.nowMs, fault: false, isError: n < errors });
    }
    return this;
  }

  /** Ready, and idle for so many reports in a row; it was last heard of now. */
  idle(vm: VmId, reports: number): this {
    this.ready(vm);
    for (let n = 0; n < reports; n++) {
      this.nowMs -= 1_000 * (reports - n - 1);
      this.report(vm);
      this.nowMs += 1_000 * (reports - n - 1);
    }
    return this;
  }

  /** Another program has the VM's address. */
  bindFails(vm: VmId): this {
    const address = { id: vm, ip: `10.0.0.${vm}`, port: 9_000 };
    const untilMs = this.nowMs + 250;
    return this.apply({ kind: 'vm-gone', vm }, { kind: 'address-quarantined', address, untilMs });
  }

  /** The VM crashes. */
  crash(vm: VmId): this {
    const end = { clean: false, reason: 'qemu-exited', why: 'crashed', exitCode: 1 } as const;
    const now = { nowMs: this.nowMs, epochMs: this.nowMs };
    return this.apply(...onHostEvent(this.fleet, { kind: 'vm-gone', vm, end }, now).transitions);
  }

  link(vm: VmId, linked: boolean): this {
    return this.apply({ kind: 'vm-linked', vm, linked, nowMs: this.nowMs });
  }

  /** A status line; by default one that shows no load. */
  report(vm: VmId, fields: Partial<GuestReport> = {}): this {
    const seq = (this.#seq.get(vm) ?? 0) + 1;
    this.#seq.set(vm, seq);
    const report = { seq, cpuPercent: 0, ramBytes: 1 << 20, inFlight: 0, served: 0, ...fields };
    return this.apply({ kind: 'vm-report', vm, report, nowMs: this.nowMs });
  }

  /** So many answers or losses in a row that tell against the VM. */
  faults(vm: VmId, count: number): this {
    for (let n = 0; n < count; n++) {
      const request = this.work(vm);
      this.apply({ kind: 'request-left', request, nowMs: this.nowMs, fault: true });
    }
    return this;
  }

  /** A request that the VM works on. */
  work(vm: VmId, withinMs = 30_000): OpenRequest {
    const request = this.request(withinMs);
    this.apply({ kind: 'request-dispatched', request, vm });
    return request;
  }

  /** It works on as many requests as it may. */
  busy(vm: VmId): this {
    while (this.fleet.freeVm?.id === vm) this.work(vm);
    return this;
  }

  /** Requests that wait. */
  wait(count: number): this {
    for (let n = 0; n < count; n++) this.apply({ kind: 'request-waits', request: this.request(), where: 'last' });
    return this;
  }

  /** A request that has been let in. */
  request(withinMs = 30_000): OpenRequest {
    return this.fleet.requests.open(this.newRequest({ deadlineMs: this.nowMs + withinMs }), this.nowMs);
  }

  newRequest(fields: Partial<Request> = {}): Request {
    return {
      requestId: `r${++this.#lastRequest}`,
      op: '',
      payload: new Uint8Array(4),
      deadlineMs: this.nowMs + 30_000,
      retry: true,
      token: new Uint8Array(0),
      replyTo: { path: 'client', tell: () => true },
      ...fields,
    };
  }

  /** What the rules decide now. */
  step(): readonly FleetDecision[] {
    return step(this.fleet, this.nowMs);
  }

  /** The same in short, such as `R1 start 10.0.0.3` or `R5 drain 2`. */
  decisions(): readonly string[] {
    return this.step().map(toText);
  }
}

function toText(decision: FleetDecision): string {
  switch (decision.kind) {
    case 'start':
      return `${decision.rule} ${decision.spare ? 'prepare' : 'start'} ${decision.address.ip}`;
    case 'blocked':
      return `blocked ${decision.blockage?.cause}`;
    case 'waiting':
      return `${decision.rule} waiting ${decision.reason}`;
    case 'sizing-failed':
      return `sizing-failed ${decision.policy}`;
    case 'deploy':
      return `deploy ${decision.phase}`;
    case 'host-away':
      return `${decision.rule} host-away`;
    default:
      return `${decision.rule} ${decision.kind} ${decision.vm}`;
  }
}
