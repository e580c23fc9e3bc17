import { type TestKit, testKit } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import { router } from '../router/router.ts';
import type { RouterMessage } from '../router/router-messages.ts';
import type { RouterOptions } from '../router/router-options.ts';
import type { FleetSnapshot, VmRow } from '../state/snapshot.ts';
import type { FleetEvent } from '../values/fleet-event.ts';
import type { GuestReady, GuestReport } from '../values/guest.ts';
import type { HostCommand, HostEvent } from '../values/host-messages.ts';
import { makeParams } from '../values/params.ts';
import { parsePool } from '../values/parse-pool.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { RequestRecord, RequestState } from '../values/request-record.ts';
import type { RequestStatus } from '../values/request-status.ts';
import type { VmEnd, VmId } from '../values/vm-id.ts';
import { FakeLinks, type LinkRequest } from './fake-link.ts';

export interface FakeFleetOptions
  extends Partial<
    Omit<RouterOptions, 'params' | 'pool' | 'host' | 'controller' | 'openLink' | 'onEvent' | 'onRequest'>
  > {
  /** Under the names of the table. */
  readonly params?: Readonly<Record<string, number>>;
  /** How many addresses; default 10. */
  readonly addresses?: number;
  readonly pool?: RouterOptions['pool'];
  /** Whether the controller has told at once what it adopted, which is nothing; default true. */
  readonly isUp?: boolean;
  readonly idempotent?: boolean;
  /** Which commands the controller obeys by itself; default all. */
  readonly obeys?: readonly HostCommand['kind'][];
}

/** One client's request and what it was told. */
export interface FakeClient {
  readonly request: Request;
  readonly outcomes: readonly Outcome[];
}

const HOST = 'here';

/** A router on a clock that a test moves, with a host and guests that do as the test says. */
export class FakeFleet implements AsyncDisposable {
  readonly kit: TestKit = testKit();
  readonly links = new FakeLinks();
  readonly commands: HostCommand[] = [];
  readonly events: FleetEvent[] = [];
  readonly records: RequestRecord[] = [];
  readonly router: Ref<RouterMessage>;
  /** Commands that the controller obeys by itself. */
  readonly obeys: Set<HostCommand['kind']>;
  readonly guest: GuestReady;
  readonly #seq = new Map<VmId, number>();
  #lastVm = 0;
  #lastRequest = 0;

  constructor(options: FakeFleetOptions = {}) {
    const { params, addresses, isUp, idempotent, obeys, ...ports } = options;
    this.obeys = new Set(obeys ?? ['prepare', 'start', 'stop']);
    this.guest = { textBytesMax: 1 << 20, idempotent: idempotent ?? true, operations: ['upper'] };
    this.router = this.kit.system.spawn(
      router({
        nextVmId: () => ++this.#lastVm,
        reserve: () => Promise.resolve(),
        pool: parsePool(`10.0.0.1-10.0.0.${addresses ?? 10}:9000`),
        ...ports,
        params: makeParams({ min_vm_count: 0, ...params }),
        openLink: this.links.openLink,
        host: HOST,
        controller: this.#controller(),
        onEvent: (event) => void this.events.push(event),
        onRequest: (record) => void this.records.push(record),
      }),
      { name: 'router' },
    );
    if (isUp !== false) this.event({ kind: 'host-up' });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kit.shutdown();
  }

  settle(): Promise<void> {
    return this.kit.settle();
  }

  advance(ms: number): Promise<void> {
    return this.kit.advance(ms);
  }

  /** Our own process stands still for that long: time goes on, and no timer fires. */
  stall(ms: number): void {
    const { clock } = this.kit;
    const before = clock.monotonic.bind(clock);
    clock.monotonic = () => before() + ms;
  }

  /** Sends a request that names its deadline from now on; default 30 s. */
  send(fields: Partial<Request> & { readonly withinMs?: number } = {}): FakeClient {
    const outcomes: Outcome[] = [];
    const { withinMs, ...given } = fields;
    const request: Request = {
      requestId: `r${++this.#lastRequest}`,
      op: '',
      payload: new TextEncoder().encode('text'),
      deadlineMs: this.kit.clock.monotonic() + (withinMs ?? 30_000),
      retry: true,
      token: Uint8Array.of(1),
      replyTo: { path: 'client', tell: (outcome) => outcomes.push(outcome) > 0 },
      ...given,
    };
    this.router.tell({ kind: 'request', request });
    return { request, outcomes };
  }

  /** The guest answers the oldest request that it has. */
  reply(vm: VmId, text = 'TEXT'): LinkRequest {
    const request = this.#shift(vm);
    const payload = new TextEncoder().encode(text);
    this.links.of(vm).owner.tell({ kind: 'link-reply', vm, id: request.id, payload });
    return request;
  }

  /** The guest answers the oldest request that it has with an error. */
  fail(vm: VmId, status: RequestStatus): void {
    const { id } = this.#shift(vm);
    this.links.of(vm).owner.tell({ kind: 'link-error', vm, id, status, message: 'no' });
  }

  /** The connection drops; what has come counts as sent but for `unsent` of it, the newest. */
  dropLink(vm: VmId, unsent = 0): void {
    this.links.drop(this.links.of(vm), unsent);
  }

  linkReady(vm: VmId): void {
    this.links.connect(this.links.of(vm));
  }

  /** A status line; by default one that shows no load. */
  report(vm: VmId, fields: Partial<GuestReport> = {}): void {
    const seq = fields.seq ?? (this.#seq.get(vm) ?? 0) + 1;
    this.#seq.set(vm, seq);
    const report = { cpuPercent: 0, ramBytes: 1 << 20, inFlight: 0, served: 0, ...fields, seq };
    this.event({ kind: 'vm-report', vm, report, atMs: this.kit.clock.now() });
  }

  /** Moves time on while the given VMs report at each second, the router handling each report before the next. */
  async reporting(vms: readonly VmId[], times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      for (const vm of vms) this.report(vm);
      await this.advance(1_000);
    }
  }

  gone(vm: VmId, why = 'exited', code?: string, verdict?: VmEnd['verdict']): void {
    const ended = { clean: false, reason: 'qemu-exited', why, exitCode: 1 } as const;
    const end = verdict === undefined ? ended : { ...ended, verdict };
    const event = { kind: 'vm-gone', vm, end } as const;
    this.event(
      code === undefined ? event : { ...event, error: { name: 'ShoalError', code, message: why, details: {} } },
    );
  }

  answering(vm: VmId): void {
    this.event({ kind: 'vm-answering', vm, guest: this.guest });
  }

  event(event: HostEvent): void {
    this.router.tell(event);
  }

  async snapshot(): Promise<FleetSnapshot> {
    return this.kit.system.ask<RouterMessage, FleetSnapshot>(
      this.router,
      (replyTo) => ({ kind: 'snapshot', replyTo }),
      1_000,
    );
  }

  /** Where the request of that id is. */
  async explain(requestId: string): Promise<RequestState | null> {
    return this.kit.system.ask<RouterMessage, RequestState | null>(
      this.router,
      (replyTo) => ({ kind: 'explain-request', requestId, replyTo }),
      1_000,
    );
  }

  async row(vm: VmId): Promise<VmRow | undefined> {
    return (await this.snapshot()).vms.find((row) => row.id_vmachine === vm);
  }

  /** Ids of the VMs in that state, oldest first. */
  async inState(state: VmRow['state']): Promise<readonly VmId[]> {
    return (await this.snapshot()).vms.filter((row) => row.state === state).map((row) => row.id_vmachine);
  }

  /** VMs that were told so, in that order. */
  told(kind: HostCommand['kind']): readonly VmId[] {
    return this.commands.filter((command) => command.kind === kind).map((command) => command.vm);
  }

  /** The events of that kind, oldest first. */
  eventsOf(kind: FleetEvent['kind']): readonly FleetEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }

  #shift(vm: VmId): LinkRequest {
    const request = this.links.of(vm).open.shift();
    if (request === undefined) throw new Error(`VM ${vm} has no request`);
    return request;
  }

  #controller(): Ref<HostCommand> {
    return {
      path: HOST,
      tell: (command) => {
        this.commands.push(command);
        if (this.obeys.has(command.kind)) this.#obey(command);
        return true;
      },
    };
  }

  #obey(command: HostCommand): void {
    const { vm } = command;
    switch (command.kind) {
      case 'prepare':
        this.event({ kind: 'vm-prepared', vm, pid: 1_000 + vm, imageDigest: command.image ?? `image of ${vm}` });
        return;
      case 'start':
        this.event({ kind: 'vm-booting', vm });
        this.answering(vm);
        return;
      case 'listen':
        return;
      case 'stop': {
        const end = { clean: true, reason: 'shoal-stopped', why: 'stopped', exitCode: 0 } as const;
        this.event({ kind: 'vm-gone', vm, end });
        return;
      }
    }
  }
}
