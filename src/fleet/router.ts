import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import type { Address } from './address.ts';
import { Fleet } from './fleet.ts';
import type { HostEvent } from './host-messages.ts';
import type { LinkEvent } from './link-messages.ts';
import { Links, type OpenLink } from './links.ts';
import type { Params } from './params.ts';
import { RequestPath } from './request-path.ts';
import type { RouterMessage } from './router-messages.ts';
import { snapshot } from './snapshot.ts';
import { type KeeperPorts, VmKeeper } from './vm-keeper.ts';

export interface RouterOptions extends Omit<KeeperPorts, 'reserve'> {
  readonly params: Params;
  readonly pool: readonly Address[];
  readonly openLink: OpenLink;
  /** Resolves when the reservation is durable. */
  readonly reserve: (vm: number, address: Address) => Promise<void>;
}

/** How often deadlines and the rules that depend on time are looked at. */
const TICK_MS = 50;
/** A tick this late means that our own process stood still, and that nobody else's silence counts. */
const PAUSE_MS = 1_000;

/** The actor that owns the fleet: routes each request, and starts and stops VMs by the rules. */
export function router(options: RouterOptions): Behaviour<RouterMessage> {
  return (context) => {
    const body = new Router(context, options);
    context.every(TICK_MS, () => ({ kind: 'tick' }));
    return (message) => body.receive(message);
  };
}

class Router {
  readonly #context: Context<RouterMessage>;
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #requests: RequestPath;
  readonly #vms: VmKeeper;
  #lastTickMs: number;
  #stepAsked = false;
  #drained: Ref<true> | undefined;

  constructor(context: Context<RouterMessage>, options: RouterOptions) {
    this.#context = context;
    this.#fleet = new Fleet(options.params, options.pool);
    this.#links = new Links(context, options.openLink);
    this.#requests = new RequestPath(this.#fleet, this.#links, context.clock, () => this.#askStep());
    const reserve = (vm: number, address: Address): void =>
      context.pipe(
        options.reserve(vm, address),
        () => ({ kind: 'reserved', vm }),
        (error) => ({ kind: 'reserve-failed', vm, error }),
      );
    this.#vms = new VmKeeper(this.#fleet, this.#links, context.clock, { ...options, reserve });
    this.#lastTickMs = context.clock.monotonic();
    for (const host of options.hosts.keys()) this.#fleet.apply({ kind: 'host-up', host });
    this.#askStep();
  }

  receive(message: RouterMessage): void {
    switch (message.kind) {
      case 'request':
        return this.#request(message);
      case 'link-reply':
        this.#requests.reply(message);
        return this.#tellIfDrained();
      case 'link-error':
        this.#requests.error(message);
        return this.#tellIfDrained();
      case 'link-ready':
      case 'link-lost':
      case 'link-kept':
      case 'link-exited':
        return this.#link(message);
      case 'vm-gone':
        return this.#gone(message);
      case 'vm-prepared':
      case 'vm-booting':
      case 'vm-answering':
      case 'vm-report':
      case 'vm-adopted':
        return this.#vms.hostEvent(message);
      case 'reserved':
        return this.#vms.reserved(message.vm);
      case 'reserve-failed':
        return this.#vms.reserveFailed(message.vm, message.error);
      case 'tick':
        return this.#tick();
      case 'step':
        return this.#step();
      case 'params':
        this.#fleet.apply({ kind: 'params', params: message.params });
        this.#requests.serveWaiting();
        return this.#askStep();
      case 'snapshot':
        message.replyTo.tell(snapshot(this.#fleet, this.#context.clock.monotonic()));
        return;
      case 'drain':
        return this.#drain(message.limitMs, message.replyTo);
      case 'drain-limit':
        this.#requests.refuseAll('the server is shutting down');
        return this.#tellIfDrained();
    }
  }

  #request({ request }: Extract<RouterMessage, { kind: 'request' }>): void {
    if (this.#drained === undefined) this.#requests.accept(request);
    else request.replyTo.tell({ ok: false, status: 503, message: 'the server is shutting down' });
  }

  #link(
    message:
      | Exclude<LinkEvent, { kind: 'link-reply' | 'link-error' }>
      | Extract<RouterMessage, { kind: 'link-exited' }>,
  ): void {
    switch (message.kind) {
      case 'link-ready':
        this.#vms.linked(message.vm);
        return this.#requests.serveWaiting();
      case 'link-lost':
        return this.#unlinked(message.vm, new Set(message.unsent), message.why);
      case 'link-kept':
        return;
      case 'link-exited': {
        const { reason } = message.exit;
        this.#unlinked(message.vm, new Set(), reason.kind === 'error' ? reason.error.message : 'its link ended');
        // A link that cannot start again fails the router: its supervisor decides.
        void this.#links.reopen(message.vm);
        return;
      }
    }
  }

  #unlinked(vm: number, unsent: ReadonlySet<number>, why: string): void {
    this.#fleet.apply({ kind: 'vm-linked', vm, linked: false, nowMs: this.#context.clock.monotonic() });
    this.#requests.lost(vm, unsent, why);
    this.#askStep();
  }

  /** The VM leaves the fleet first, so that what it worked on is not sent to it again. */
  #gone(event: Extract<HostEvent, { kind: 'vm-gone' }>): void {
    this.#fleet.apply({ kind: 'vm-linked', vm: event.vm, linked: false, nowMs: this.#context.clock.monotonic() });
    this.#requests.lost(event.vm, new Set(), event.end.why);
    this.#vms.gone(event);
    this.#requests.serveWaiting();
    this.#askStep();
    this.#tellIfDrained();
  }

  #tick(): void {
    const nowMs = this.#context.clock.monotonic();
    const lateMs = nowMs - this.#lastTickMs - TICK_MS;
    this.#lastTickMs = nowMs;
    if (lateMs > PAUSE_MS) this.#fleet.apply({ kind: 'paused', forMs: lateMs });
    this.#requests.expire();
    this.#step();
  }

  /** Many events of one turn make one step. */
  #askStep(): void {
    if (this.#stepAsked) return;
    this.#stepAsked = true;
    this.#context.self.tell({ kind: 'step' });
  }

  #step(): void {
    this.#stepAsked = false;
    if (this.#drained !== undefined) return;
    this.#vms.step();
    // What R3 could give no VM may now fall back to R4.
    this.#requests.serveWaiting();
  }

  #drain(limitMs: number, replyTo: Ref<true>): void {
    this.#drained = replyTo;
    this.#context.after(limitMs, { kind: 'drain-limit' });
    this.#tellIfDrained();
  }

  #tellIfDrained(): void {
    if (this.#drained !== undefined && this.#requests.open === 0) this.#drained.tell(true);
  }
}
