import type { ActorSystem, Ref } from '../../actors/mod.ts';
import { neighboursOn } from '../../app/mod.ts';
import { FakeLinks } from '../../fleet/kit/mod.ts';
import {
  type FleetSnapshot,
  makeParams,
  type Outcome,
  parsePool,
  type RequestRecord,
  type RouterMessage,
  router,
} from '../../fleet/mod.ts';
import { joinHosts, natsPort } from '../../remote/mod.ts';
import { ReplyTokens } from '../../transport/mod.ts';
import type { SimulatedProcess } from '../process.ts';
import { ProcessWorld } from './process-world.ts';

/** What a client has been told, and by which host. */
export interface Told {
  readonly by: string;
  readonly outcome: Outcome | 'sent';
  readonly atMs: number;
}

/** One request of a client: how often it was told, by the host that took it in or by the one that worked. */
export interface SentRequest {
  readonly id: string;
  readonly home: RouterHost;
  readonly told: Told[];
  /** Hosts whose guests were given it, in order. */
  readonly given: string[];
}

export interface RouterHost {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly router: Ref<RouterMessage>;
  readonly links: FakeLinks;
  readonly system: ActorSystem;
  /** Requests on a VM when there were more than it takes, without those that were cancelled: their slots are free at once. */
  readonly overfilled: number[];
  /** When its connection was reset, with replies that had not left. */
  readonly resetsMs: number[];
}

export interface RouterHostOptions {
  readonly vms: number;
  readonly addresses?: number;
  readonly idempotent?: boolean;
  readonly params?: Readonly<Record<string, number>>;
  /** How long a guest works; undefined: for ever. */
  readonly workMs?: number | undefined;
  /** The others know the host for so long before they reach its router; default 0. */
  readonly routerAfterMs?: number;
}

const VM_REQUESTS_MAX = 1;
const VM_BACKLOG_MAX = 2;
const LATENCY_MS_MAX = 2;

/** Real routers of several hosts on simulated processes and a simulated NATS server, with guests that do as the test says. */
export class RouterWorld extends ProcessWorld {
  readonly hosts: RouterHost[] = [];
  readonly requests: SentRequest[] = [];
  readonly failures: unknown[] = [];
  readonly #byId = new Map<string, SentRequest[]>();
  readonly #onRequest: ((step: RequestRecord) => void) | undefined;
  #count = 0;

  /** @param onRequest is told of the steps that routers record */
  constructor(seed = 1, onRequest?: (step: RequestRecord) => void) {
    super(seed, LATENCY_MS_MAX);
    this.#onRequest = onRequest;
    this.nats.onPublish = ({ subject }) => this.#arrived(subject);
  }

  /** A host whose controller obeys at once, and has so many VMs ready. */
  start(name: string, options: RouterHostOptions): RouterHost {
    const { vms, addresses = vms, idempotent = true, params, workMs, routerAfterMs = 0 } = options;
    const { process, connection, system } = this.launch(`${name} ${this.hosts.length}`, {
      onFailure: (failure) => this.failures.push(failure),
    });
    const way = natsPort(connection.nc);
    const hosts = joinHosts({ system, port: way, group: 'world.hosts', host: name });
    const links = new FakeLinks();
    const tokens = new ReplyTokens(new Uint8Array(16));
    const resetsMs: number[] = [];
    const onTakenBack = (): void => void resetsMs.push(this.time.nowMs);
    const port = neighboursOn({ hosts, port: way, connection, clock: process.clock, tokens, onTakenBack });
    const guest = { textBytesMax: 1 << 20, idempotent, operations: ['upper'] };
    let lastVm = 0;
    const actor: Ref<RouterMessage> = system.spawn<RouterMessage>(
      router({
        host: name,
        nextVmId: () => ++lastVm,
        reserve: () => Promise.resolve(),
        pool: parsePool(`10.0.0.1-10.0.0.${addresses}:9000`),
        params: makeParams({
          min_vm_count: vms,
          vm_requests_max: VM_REQUESTS_MAX,
          vm_backlog_max: VM_BACKLOG_MAX,
          ...params,
        }),
        openLink: links.openLink,
        onEvent: () => undefined,
        ...(this.#onRequest === undefined ? {} : { onRequest: this.#onRequest }),
        controller: {
          path: 'controller',
          tell: ({ kind, vm }) => {
            if (kind === 'prepare') actor.tell({ kind: 'vm-prepared', vm, pid: vm });
            if (kind === 'start') {
              actor.tell({ kind: 'vm-booting', vm });
              actor.tell({ kind: 'vm-answering', vm, guest });
            }
            return true;
          },
        },
        neighbours: {
          ...port,
          join: (actor, adapt) => {
            if (routerAfterMs === 0) return port.join(actor, adapt);
            let leave = (): void => undefined;
            process.clock.timer(routerAfterMs, () => {
              leave = port.join(actor, adapt);
            });
            return () => leave();
          },
          publish: (subject, outcome) => {
            const number = port.publish(subject, outcome);
            if (number !== undefined) this.#outcomes.set(subject, { by: name, outcome });
            return number;
          },
          get taken() {
            return port.taken;
          },
        },
      }),
    );
    actor.tell({ kind: 'host-up' });
    const host = { name, process, router: actor, links, system, overfilled: [], resetsMs };
    this.#work(host, workMs);
    this.#report(host);
    this.hosts.push(host);
    return host;
  }

  /** A client's request that comes in at that host. */
  send(
    home: RouterHost,
    fields: { readonly id?: string; readonly withinMs?: number; readonly isRepeat?: boolean } = {},
  ) {
    this.#count += 1;
    const { id, withinMs = 30_000, isRepeat = false } = fields;
    const requestId = id ?? `generated ${this.#count}`;
    const sent: SentRequest = { id: requestId, home, told: [], given: [] };
    this.requests.push(sent);
    this.#byId.set(requestId, [...(this.#byId.get(requestId) ?? []), sent]);
    const replySubject = `inbox.${this.#count}`;
    this.#bySubject.set(replySubject, sent);
    const taken = home.router.tell({
      kind: 'request',
      request: {
        requestId,
        isIdGenerated: id === undefined,
        op: '',
        payload: new TextEncoder().encode(requestId),
        deadlineMs: home.process.clock.monotonic() + withinMs,
        retry: true,
        isRepeat,
        replySubject,
        token: Uint8Array.of(1),
        replyTo: {
          path: 'client',
          tell: (outcome) => {
            const { nowMs: atMs } = this.time;
            sent.told.push({ by: home.name, outcome: outcome.isSent === true ? 'sent' : outcome, atMs });
            return true;
          },
        },
      },
    });
    if (!taken) throw new Error('the router took no request');
    return sent;
  }

  /** A guest that has requests answers the oldest. */
  reply(host: RouterHost, vm = 1): void {
    const link = host.links.of(vm);
    const request = link.open.shift();
    if (request === undefined) throw new Error(`VM ${vm} of ${host.name} has no request`);
    link.owner.tell({ kind: 'link-reply', vm, id: request.id, payload: request.payload });
  }

  async snapshot(host: RouterHost) {
    const asked = host.system.ask<RouterMessage, FleetSnapshot>(
      host.router,
      (replyTo) => ({ kind: 'snapshot', replyTo }),
      1_000,
    );
    await this.run(1);
    return asked;
  }

  readonly #bySubject = new Map<string, SentRequest>();
  /** The last that a host published to a subject of a client. */
  readonly #outcomes = new Map<string, Omit<Told, 'atMs'>>();

  /** What was published is told when the server has it. */
  #arrived(subject: string): void {
    const published = this.#outcomes.get(subject);
    if (published !== undefined) this.#bySubject.get(subject)?.told.push({ ...published, atMs: this.time.nowMs });
  }

  #work(host: RouterHost, workMs: number | undefined): void {
    const look = (): void => {
      for (const link of host.links.byVm.values()) {
        const wanted = link.open.filter(({ id }) => !link.cancelled.includes(id)).length;
        if (wanted > VM_REQUESTS_MAX + VM_BACKLOG_MAX) host.overfilled.push(wanted);
        for (const request of link.open) {
          const id = new TextDecoder().decode(request.payload);
          if (seen.has(request)) continue;
          seen.add(request);
          for (const sent of this.#byId.get(id) ?? []) sent.given.push(host.name);
          if (workMs === undefined) continue;
          host.process.clock.timer(workMs, () => {
            const at = link.open.indexOf(request);
            if (at < 0) return;
            link.open.splice(at, 1);
            link.owner.tell({ kind: 'link-reply', vm: link.vm, id: request.id, payload: request.payload });
          });
        }
      }
      host.process.clock.timer(1, look);
    };
    const seen = new WeakSet<object>();
    look();
  }

  /** Its VMs report, so that R6 has nothing to say. */
  #report(host: RouterHost): void {
    let seq = 0;
    const report = (): void => {
      seq += 1;
      for (const vm of host.links.byVm.keys()) {
        const figures = { seq, cpuPercent: 50, ramBytes: 1 << 20, inFlight: 0, served: 0 };
        host.router.tell({ kind: 'vm-report', vm, report: figures, atMs: host.process.clock.now() });
      }
      host.process.clock.timer(500, report);
    };
    report();
  }
}
