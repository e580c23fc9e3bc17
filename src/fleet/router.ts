import type { Behaviour, Context } from '../actors/mod.ts';
import type { Address } from './address.ts';
import { isAtRest } from './at-rest.ts';
import { Closing } from './closing.ts';
import { Commands } from './commands.ts';
import { Fleet, type Routing } from './fleet.ts';
import type { HostEvent } from './host-messages.ts';
import type { LinkEvent } from './link-messages.ts';
import { Links, type OpenLink } from './links.ts';
import type { Params } from './params.ts';
import { type OrphanedReplyPort, RequestPath } from './request-path.ts';
import type { RouterMessage } from './router-messages.ts';
import { snapshot } from './snapshot.ts';
import { type StorePorts, StoreWrites } from './store-writes.ts';
import { Ticker } from './ticker.ts';
import { type KeeperPorts, VmKeeper } from './vm-keeper.ts';

export interface RouterOptions extends KeeperPorts, StorePorts {
  readonly params: Params;
  readonly pool: readonly Address[];
  readonly openLink: OpenLink;
  /** Resolves when the reservation is durable. Asking again for what is so changes nothing. */
  readonly reserve: (vm: number, address: Address) => Promise<unknown>;
  /** R2; default `pack`. */
  readonly routing?: Routing;
  /** Each host says `host-up` when it has told of all that it adopted; nothing is started there before. Default: all are up at once. */
  readonly awaitHosts?: boolean;
  /** R11: without it replies that outlived their Shoal are dropped. */
  readonly orphanedReplies?: OrphanedReplyPort;
}

const CLOSING = 'the server is shutting down';

/** The actor that owns the fleet: routes each request, and starts and stops VMs by the rules. */
export function router(options: RouterOptions): Behaviour<RouterMessage> {
  return (context) => {
    const body = new Router(context, options);
    // Whatever ends the router, nobody is left without an answer.
    context.onStop(() => body.refuseAll(), 'before-children');
    return (message) => body.receive(message);
  };
}

class Router {
  readonly #context: Context<RouterMessage>;
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #ledger: StoreWrites;
  readonly #requests: RequestPath;
  readonly #vms: VmKeeper;
  readonly #commands: Commands;
  readonly #closing: Closing;
  readonly #startedMs: number;
  readonly #ticker: Ticker;
  #stepAsked = false;

  constructor(context: Context<RouterMessage>, options: RouterOptions) {
    const { clock } = context;
    this.#context = context;
    this.#fleet = new Fleet(options.params, options.pool, options.routing);
    this.#links = new Links(context, options.openLink);
    this.#ledger = new StoreWrites(context, options);
    this.#requests = new RequestPath(this.#fleet, this.#links, clock, options.orphanedReplies, () => this.#askStep());
    const events = { onStuck: (vm: number, why: string) => this.#requests.stuck(vm, why) };
    this.#vms = new VmKeeper(this.#fleet, this.#links, clock, this.#ledger, this.#requests.book, {
      ...options,
      events,
    });
    this.#commands = new Commands(this.#fleet, this.#vms);
    this.#closing = new Closing();
    this.#startedMs = clock.monotonic();
    this.#ticker = new Ticker(context);
    if (options.awaitHosts !== true) {
      const nowMs = clock.monotonic();
      for (const host of options.hosts.keys()) this.#fleet.apply({ kind: 'host-up', host, nowMs });
    }
    this.#askStep();
  }

  receive(message: RouterMessage): void {
    this.#handle(message);
    if (this.#closing.isAsked) this.#closing.look(this.#requests.open);
    if (this.#ticker.isResting && !this.#isAtRest()) this.#ticker.wake();
  }

  refuseAll(): void {
    this.#requests.refuseAll(this.#closing.isAsked ? CLOSING : 'the router has ended; send the request again');
  }

  #handle(message: RouterMessage): void {
    switch (message.kind) {
      case 'request':
        return this.#request(message);
      case 'link-reply':
        return this.#requests.reply(message);
      case 'link-error':
        this.#requests.error(message);
        // Enough of these in a row and R2 ejects the VM.
        return this.#askStep();
      case 'link-ready':
      case 'link-pong':
      case 'link-lost':
      case 'link-orphaned-reply':
      case 'link-exited':
      case 'link-reopen':
      case 'link-reopened':
      case 'link-reopen-failed':
        return this.#link(message);
      case 'vm-gone':
        return this.#gone(message);
      case 'vm-report':
        return this.#report(message);
      case 'host-up':
        return this.#hostUp(message);
      case 'vm-probed':
        return;
      case 'vm-prepared':
      case 'vm-booting':
      case 'vm-answering':
      case 'vm-adopted':
      case 'host-down':
      case 'host-stats':
        return this.#vms.hostEvent(message);
      case 'written':
        this.#vms.written(message.vm, message.write);
        return this.#askStep();
      case 'write-failed':
        return this.#vms.writeFailed(message.vm, message.write, message.error);
      case 'write-again':
        return this.#ledger.again(message.vm);
      case 'tick':
        return this.#tick();
      case 'step':
        return this.#step();
      case 'params':
        this.#fleet.apply({ kind: 'params', params: message.params });
        this.#requests.serveWaiting();
        return this.#askStep();
      case 'add-addresses':
        for (const address of message.addresses) this.#fleet.apply({ kind: 'address-added', address });
        return this.#askStep();
      case 'remove-address':
        message.replyTo.tell(this.#fleet.apply({ kind: 'address-removed', id: message.id }));
        return;
      case 'drain-vm':
      case 'remove-vm':
      case 'restart-vms':
      case 'scale':
        this.#commands.run(message);
        return this.#askStep();
      case 'snapshot':
        return this.#snapshot(message);
      case 'request-figures':
        message.replyTo.tell(this.#requests.counts.figures());
        return;
      case 'drain':
        return this.#drain(message);
      case 'drain-limit':
        return this.refuseAll();
    }
  }

  #request({ request }: Extract<RouterMessage, { kind: 'request' }>): void {
    if (!this.#closing.isAsked) this.#requests.accept(request);
    else request.replyTo.tell({ ok: false, status: 503, message: CLOSING });
  }

  #link(message: LinkNews): void {
    switch (message.kind) {
      case 'link-ready':
        this.#links.proven(message.vm);
        this.#vms.linked(message.vm);
        return this.#requests.serveWaiting();
      case 'link-pong':
        return;
      case 'link-lost':
        this.#vms.linkLost(message.vm, message.why);
        this.#requests.lost(message.vm, new Set(message.unsent), new Set(message.sent), message.why);
        return this.#askStep();
      case 'link-orphaned-reply':
        return this.#requests.kept(message);
      case 'link-exited': {
        const { reason } = message.exit;
        const why = reason.kind === 'error' ? reason.error.message : 'its link ended';
        this.#vms.linkLost(message.vm, why);
        this.#requests.lostAll(message.vm, why);
        this.#links.reopenLater(message.vm);
        return this.#askStep();
      }
      case 'link-reopen':
        return this.#links.reopen(message.vm);
      case 'link-reopened':
        return this.#links.reopened(message.vm);
      case 'link-reopen-failed':
        return this.#links.reopenLater(message.vm);
    }
  }

  /** The VM takes nothing from here on, so that what it worked on is not sent to it again. */
  #gone(event: Extract<HostEvent, { kind: 'vm-gone' }>): void {
    const { vm } = event;
    this.#fleet.apply({ kind: 'vm-linked', vm, linked: false, nowMs: this.#context.clock.monotonic() });
    this.#requests.lostAll(vm, event.end.why);
    this.#vms.gone(event);
    this.#requests.forget(vm);
    this.#requests.serveWaiting();
    this.#askStep();
  }

  #report(event: Extract<HostEvent, { kind: 'vm-report' }>): void {
    this.#vms.hostEvent(event);
    const vm = this.#fleet.vm(event.vm);
    // Its end got lost on the way (a mailbox was full): only what nobody waits for any more is given up.
    if (vm !== undefined && event.report.inFlight === 0 && vm.inFlight > 0) this.#requests.writeOff(vm.id);
  }

  /** What the host once had and no longer has is gone. What it never confirmed may have been asked for after it took stock: R7 sees to that. */
  #hostUp(event: Extract<HostEvent, { kind: 'host-up' }>): void {
    this.#vms.hostEvent(event);
    if (event.vms !== undefined) {
      const there = new Set(event.vms);
      const missing = [...this.#fleet.vms].filter((vm) => vm.host === event.host && vm.confirmed && !there.has(vm.id));
      const end = { clean: false, why: 'its host no longer has it', exitCode: null };
      for (const vm of missing) this.#gone({ kind: 'vm-gone', host: event.host, vm: vm.id, end });
    }
    this.#requests.serveWaiting();
    this.#askStep();
  }

  #snapshot({ replyTo }: Extract<RouterMessage, { kind: 'snapshot' }>): void {
    const requests = this.#requests.counts.figures();
    const nowMs = this.#context.clock.monotonic();
    replyTo.tell(snapshot(this.#fleet, { requests, startedMs: this.#startedMs, nowMs }));
  }

  #tick(): void {
    this.#requests.expire();
    this.#step();
    this.#ticker.next(this.#isAtRest(), this.#fleet.params.statusIntervalMs);
  }

  #isAtRest(): boolean {
    return this.#requests.open === 0 && isAtRest(this.#fleet, this.#context.clock.monotonic());
  }

  /** Many events of one turn make one step. */
  #askStep(): void {
    if (this.#stepAsked) return;
    this.#stepAsked = true;
    this.#context.self.tell({ kind: 'step' });
  }

  #step(): void {
    this.#stepAsked = false;
    // From then on whoever closes us ends the VMs, or leaves them running, as was asked.
    if (this.#closing.isDone) return;
    // Other news of the time in which we stood still may come before the tick that was due in it.
    const forMs = this.#ticker.pausedMs();
    if (forMs > 0) this.#fleet.apply({ kind: 'paused', forMs, nowMs: this.#context.clock.monotonic() });
    this.#vms.step();
    // What R3 could give no VM may now fall back to R4.
    this.#requests.serveWaiting();
  }

  #drain({ limitMs, replyTo }: Extract<RouterMessage, { kind: 'drain' }>): void {
    this.#closing.ask(replyTo);
    this.#fleet.apply({ kind: 'closing' });
    this.#context.after(limitMs, { kind: 'drain-limit' });
  }
}

type LinkNews =
  | Exclude<LinkEvent, { kind: 'link-reply' | 'link-error' }>
  | Extract<RouterMessage, { kind: 'link-exited' | 'link-reopen' | 'link-reopened' | 'link-reopen-failed' }>;
