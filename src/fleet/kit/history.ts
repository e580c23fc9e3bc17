import fc from 'fast-check';
import { admit } from '../policy/admission.ts';
import type { FleetDecision } from '../policy/decision.ts';
import { enact, enactStart } from '../policy/enact.ts';
import { onCommand } from '../policy/on-command.ts';
import { onHostEvent } from '../policy/on-host-event.ts';
import { onLinkLost, onLinkReady } from '../policy/on-link-event.ts';
import { onWriteFailed, onWritten, type Write } from '../policy/on-write.ts';
import type { Reaction } from '../policy/reaction.ts';
import { route } from '../policy/route.ts';
import { step } from '../policy/step.ts';
import { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Transition } from '../state/transition.ts';
import type { Vm } from '../state/vm.ts';
import type { HostEvent } from '../values/host-messages.ts';
import { makeParams, type Params } from '../values/params.ts';
import { parsePool } from '../values/parse-pool.ts';
import type { Request } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';

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

export const anyVm = fc.integer({ min: 1, max: 12 });

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

export const anyHistory = fc.record({
  params: anyParams,
  addresses: fc.integer({ min: 1, max: 8 }),
  routing: fc.constantFrom('pack' as const, 'spread' as const),
  facts: fc.array(anyFact, { maxLength: 80 }),
});

export type Given = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

const guest = { textBytesMax: 1 << 20, idempotent: true, operations: ['upper'] };
const NOBODY = { path: 'nobody', tell: () => true };

/** A fleet to which things happen. It obeys every decision and reaction by folding their transitions, and nothing else. */
export class History {
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
    this.hears({ kind: 'host-up' });
  }

  hears(event: HostEvent): void {
    this.react(onHostEvent(this.fleet, event, { nowMs: this.nowMs, epochMs: this.nowMs }));
  }

  react({ transitions, effects }: Reaction): void {
    for (const transition of transitions) this.must(transition);
    for (const effect of effects) {
      if (effect.kind === 'command') {
        const { command } = effect;
        if (command.kind === 'prepare') this.#prepare(command.vm, command.address.ip);
      } else if (effect.kind === 'write-reservation') this.#writes.push({ vm: effect.vm, write: 'reserve' });
      else if (effect.kind === 'write-release') this.#writes.push({ vm: effect.vm, write: 'release' });
      else if (effect.kind === 'answer') this.answer(effect.request);
    }
  }

  #prepare(vm: VmId, ip: string): void {
    const other = [...this.processes].find(([, used]) => used === ip);
    if (other !== undefined) throw new Error(`VM ${vm} is prepared at ${ip}, where VM ${other[0]} is`);
    this.processes.set(vm, ip);
  }

  /** A transition that the policy returns fits what is known. */
  must(transition: Transition): void {
    if (!this.fleet.apply(transition)) throw new Error(`the transition does not fit: ${transition.kind}`);
  }

  answer(request: OpenRequest): void {
    this.answered.push(request);
    this.fleet.requests.end(request, { ok: false, status: 502, reason: 'vm-lost', message: 'for a test' });
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
        return this.hears({ kind: 'vm-report', vm, report, atMs: nowMs });
      }
      case 'all-sound':
        this.settle(false);
        for (let n = 0; n < 4; n++) for (const vm of [...fleet.vms]) this.#progress(vm);
        return;
      case 'all-idle':
        for (const vm of [...fleet.vms]) {
          const report = { seq: (vm.report?.seq ?? 0) + 1, cpuPercent: 0, ramBytes: 1, inFlight: 0, served: 0 };
          this.hears({ kind: 'vm-report', vm: vm.id, report, atMs: nowMs });
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
        if (fleet.vm(vm) === undefined) this.processes.set(vm, address.ip);
        return this.hears({ kind: 'vm-adopted', vm, address, pid: 1, startedMs: 0, state: 'answering' });
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
        this.hears(fact.up ? { kind: 'host-up' } : { kind: 'host-down', why: 'silent' });
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
    const open = this.fleet.requests.open(request, this.nowMs);
    if (admission.kind === 'wait') this.must({ kind: 'request-waits', request: open, where: 'last' });
    else this.must({ kind: 'request-dispatched', request: open, vm: admission.vm });
  }

  /** The next thing that a sound host and guest would do. */
  #progress(vm: Vm | undefined): void {
    if (vm === undefined) return;
    const { id, state } = vm;
    if (state === 'preparing') this.hears({ kind: 'vm-prepared', vm: id, pid: id, imageDigest: 'x' });
    else if (state === 'stopping') this.#gone({ vm: id, bindFailed: false, verdict: undefined });
    else if (!vm.linked && vm.bootMs !== undefined) {
      this.hears({ kind: 'vm-answering', vm: id, guest });
      this.react(onLinkReady(this.fleet, id, this.nowMs));
    }
    this.serve();
  }

  #gone({ vm, bindFailed, verdict }: { vm: VmId; bindFailed: boolean; verdict: 'stuck' | 'dead' | undefined }): void {
    if (this.fleet.vm(vm) === undefined) return;
    this.processes.delete(vm);
    const why = { reason: 'qemu-exited', why: 'exited' } as const;
    const end = { clean: false, ...why, exitCode: 1, ...(verdict === undefined ? {} : { verdict }) };
    const error = { name: 'ShoalError', code: 'PORT_TAKEN', message: 'taken', details: {} };
    this.hears({ kind: 'vm-gone', vm, end, ...(bindFailed ? { error } : {}) });
    this.serve();
  }
}

/** Says that a look has carried the decisions out itself. */
export const CARRIED_OUT = Symbol('carried out');

/** Plays a history and lets `look` see each step before it is carried out. */
export function play(given: Given, look: (history: History, decisions: readonly FleetDecision[]) => unknown): void {
  const history = new History(given);
  for (const fact of given.facts) {
    history.happens(fact);
    const decisions = step(history.fleet, history.nowMs);
    if (look(history, decisions) !== CARRIED_OUT) for (const decision of decisions) history.decided(decision);
    history.serve();
  }
}
