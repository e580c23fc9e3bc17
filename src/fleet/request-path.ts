import type { Clock } from '../actors/mod.ts';
import type { Fleet } from './fleet.ts';
import type { LinkEvent } from './link-messages.ts';
import type { Links } from './links.ts';
import type { Pending } from './pending.ts';
import { ReplyMemory } from './reply-memory.ts';
import type { Outcome, Request, RequestStatus } from './request.ts';
import { RequestBook } from './request-book.ts';
import { RequestCounts } from './request-counts.ts';
import { route, waitOrRefuse } from './route.ts';
import type { VmId } from './vm.ts';

/** How the token of a late reply is read, and where the reply goes that no request of ours waits for (R11). */
export interface OrphanedReplyPort {
  /** @returns undefined for a token that we did not make */
  open(token: Uint8Array): { readonly requestId: string } | undefined;
  publish(token: Uint8Array, outcome: Outcome): void;
  /** A request has ended, and a VM may still send a reply for it: that is no answer. Outlives the router. */
  answered?(requestId: string): void;
  hasAnswered?(requestId: string): boolean;
}

/** R11: a request is tried at most once more than the first time. */
const TRIES_MAX = 2;
/** Repeats that may wait for one request at a time. */
const CLIENTS_MAX = 100;
/** A guest that says so often something is wrong is ejected (R2). 501 is the operation's fault, 499 our own wish. */
const FAULTS: ReadonlySet<RequestStatus> = new Set<RequestStatus>([502, 503, 504]);

/** Carries `route`'s decisions out: requests to links, ends to clients. */
export class RequestPath {
  readonly counts = new RequestCounts();
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #book: RequestBook;
  readonly #memory = new ReplyMemory();
  readonly #late: OrphanedReplyPort | undefined;
  /** Called when a request waits that did not before: R3 may want another VM. */
  readonly #onWaiting: () => void;

  constructor(fleet: Fleet, links: Links, clock: Clock, late: OrphanedReplyPort | undefined, onWaiting: () => void) {
    this.#fleet = fleet;
    this.#links = links;
    this.#clock = clock;
    this.#book = new RequestBook(clock.monotonic());
    this.#late = late;
    this.#onWaiting = onWaiting;
  }

  /** Clients who have not been told how their request ended. */
  get open(): number {
    return this.#book.clients;
  }

  get book(): RequestBook {
    return this.#book;
  }

  get memory(): ReplyMemory {
    return this.#memory;
  }

  accept(request: Request): void {
    this.counts.accepted += 1;
    const nowMs = this.#clock.monotonic();
    if (!Number.isFinite(request.deadlineMs)) return this.#refuse(request, 400, 'the deadline is not a time');
    if (request.deadlineMs <= nowMs) return this.#refuse(request, 504, 'its deadline had passed when it came');
    if (request.isIdGenerated !== true && this.#isRepeat(request, nowMs)) return;
    // Nobody is served before those who wait already.
    if (this.#fleet.waiting > 0) this.serveWaiting();
    const decision = this.#fleet.waiting > 0 ? waitOrRefuse(this.#fleet) : route(this.#fleet, nowMs);
    if (decision.kind === 'refuse') return this.#refuse(request, decision.status, decision.message);
    const pending = this.#book.open(request);
    this.#memory.opened(pending);
    this.counts.routed(decision.rule);
    if (decision.kind === 'dispatch') this.#dispatch(pending, decision.vm);
    else this.#wait(pending, 'last');
  }

  reply(event: Extract<LinkEvent, { kind: 'link-reply' }>): void {
    const pending = this.#returned(event.id, event.vm, false);
    if (pending === undefined) return;
    this.#end(pending, { ok: true, payload: event.payload, vm: event.vm, host: this.#hostOf(event.vm) });
    this.serveWaiting();
  }

  error(event: Extract<LinkEvent, { kind: 'link-error' }>): void {
    const fault = event.status === 499 ? undefined : FAULTS.has(event.status);
    const pending = this.#returned(event.id, event.vm, fault);
    if (pending === undefined) return;
    this.#end(pending, this.#failure(event.status, event.message, event.vm));
    this.serveWaiting();
  }

  /**
   * The link of a VM is down: what was on it is tried elsewhere if it may be, and ends if not (R11). What it names neither as sent nor as
   * unsent has crossed this news on its way to the link, which tells of it yet.
   */
  lost(vm: VmId, unsent: ReadonlySet<number>, sent: ReadonlySet<number>, why: string): void {
    for (const pending of this.#book.on(vm).reverse()) {
      const untouched = unsent.has(pending.frame);
      if (untouched || sent.has(pending.frame)) this.#takeBack(pending, untouched, why);
    }
    this.serveWaiting();
  }

  /** The VM, or the actor of its link, is gone: nothing will be told of what was on it, which may have been worked on. */
  lostAll(vm: VmId, why: string): void {
    for (const pending of this.#book.on(vm).reverse()) this.#takeBack(pending, false, why);
    this.serveWaiting();
  }

  /**
   * R6: the VM got stuck and is being ended. What it was working on is poison and not tried elsewhere; that is as many as it works on at a time,
   * first dispatched first. The others only stood in its queue, and go back to the line; they leave it when the step that decides so is over,
   * lest one goes to a VM that the same step ends.
   */
  stuck(vm: VmId, why: string): void {
    const all = this.#book.on(vm);
    const worked = all.slice(0, this.#fleet.params.vmRequestsMax);
    for (const pending of all.slice(worked.length).reverse()) this.#takeBack(pending, false, why);
    for (const pending of worked) {
      this.#take(pending);
      this.#end(pending, this.#failure(502, `poison: VM ${vm} got stuck while it worked on the request: ${why}`, vm));
    }
  }

  /** The guest says that it has nothing in work: what is long overdue and still counted as with it got lost on the way. */
  writeOff(vm: VmId): void {
    const limitMs = this.#clock.monotonic() - this.#fleet.params.stuckMs;
    for (const pending of this.#book.on(vm)) {
      if (pending.deadlineMs >= limitMs || pending.clients.length > 0) continue;
      this.#take(pending);
      this.#memory.closed(pending);
    }
    this.serveWaiting();
  }

  /** A reply that outlived the connection, or the Shoal, that asked for it (R11). */
  kept(event: Extract<LinkEvent, { kind: 'link-orphaned-reply' }>): void {
    const requestId = this.#late?.open(event.token)?.requestId;
    if (requestId === undefined) return;
    const outcome = this.#keptOutcome(event);
    const pending = this.#memory.pending(requestId);
    if (pending === undefined) {
      const isTold = this.#memory.hasEnded(requestId) || this.#late?.hasAnswered?.(requestId) === true;
      if (!isTold) this.#late?.publish(event.token, outcome);
      return;
    }
    // It is being tried once more; a failure of the first try says nothing about the second.
    if (!outcome.ok) return;
    const { vm, frame } = pending;
    if (vm !== undefined) this.#links.tell(vm, { kind: 'cancel', id: frame });
    this.#end(pending, outcome);
    if (vm === undefined) this.#take(pending);
  }

  /** Requests in arrival order go to the VMs that are free, as far as they reach. */
  serveWaiting(): void {
    if (this.#fleet.waiting === 0) return;
    const nowMs = this.#clock.monotonic();
    for (let next = this.#book.nextWaiting; next !== undefined; next = this.#book.nextWaiting) {
      if (next.deadlineMs <= nowMs) {
        this.#take(next);
        this.#end(next, this.#failure(504, 'its deadline passed while it waited', undefined));
        continue;
      }
      // It has been let in already: a limit that is now reached is not held against it.
      const decision = route(this.#fleet, nowMs, this.#fleet.waiting - 1);
      if (decision.kind !== 'dispatch') return;
      this.#take(next);
      this.#dispatch(next, decision.vm);
    }
  }

  /** Ends what is past its deadline. A VM that works on it is asked to stop, and stays busy until it says so. */
  expire(): void {
    const nowMs = this.#clock.monotonic();
    for (const client of this.#book.due(nowMs)) {
      const { pending } = client;
      const { vm } = pending;
      const where = vm === undefined ? 'while it waited' : `while VM ${vm} worked on it`;
      const outcome = this.#failure(504, `its deadline passed ${where}`, vm);
      this.counts.ended(outcome);
      this.#book.endFor(client, outcome);
      if (pending.clients.length > 0) continue;
      this.#close(pending);
      if (vm === undefined) this.#take(pending);
      else this.#links.tell(vm, { kind: 'cancel', id: pending.frame });
    }
    this.#memory.expire(nowMs);
  }

  /** Ends everything that is open; for the end of the server. */
  refuseAll(why: string): void {
    for (const pending of this.#book.all()) {
      const { vm, frame } = pending;
      if (vm !== undefined) {
        this.#links.tell(vm, { kind: 'cancel', id: frame });
        this.#late?.answered?.(pending.request.requestId);
      }
      this.#take(pending);
      this.#end(pending, this.#failure(503, why, vm));
    }
  }

  /** Its link is closed and nothing will come from it. */
  forget(vm: VmId): void {
    this.#book.forget(vm);
  }

  /** R11: a repeat joins the first or gets its stored reply. */
  #isRepeat(request: Request, nowMs: number): boolean {
    const known = this.#memory.find(request, nowMs);
    if (known === undefined) return false;
    this.counts.routed('R11');
    if (known.kind === 'ended') {
      this.counts.ended(known.outcome);
      request.replyTo.tell(known.outcome);
    } else if (known.kind === 'other') {
      this.#refuse(request, 400, `the request id ${JSON.stringify(request.requestId)} stands for another request`);
    } else if (known.pending.clients.length >= CLIENTS_MAX) {
      this.#refuse(request, 503, `overloaded: ${CLIENTS_MAX} repeats wait for the same request`);
    } else {
      this.#book.join(known.pending, request.replyTo, request.deadlineMs);
    }
    return true;
  }

  #wait(pending: Pending, where: 'last' | 'first'): void {
    this.#book.wait(pending, where);
    this.#fleet.apply({ kind: 'waiting', change: 1 });
    this.#onWaiting();
  }

  #dispatch(pending: Pending, vm: VmId): void {
    this.#book.putOn(pending, vm);
    pending.tries += 1;
    this.#fleet.apply({ kind: 'dispatched', vm });
    const { op, token, payload } = pending.request;
    if (this.#links.tell(vm, { kind: 'request', id: pending.frame, op, token, payload })) return;
    this.#take(pending);
    pending.tries -= 1;
    this.#fleet.apply({ kind: 'vm-linked', vm, linked: false, nowMs: this.#clock.monotonic() });
    this.#wait(pending, 'first');
  }

  /** Out of the line or off its VM, and the fleet's count with it. */
  #take(pending: Pending, fault?: boolean): void {
    const { vm } = pending;
    if (this.#book.isWaiting(pending)) this.#fleet.apply({ kind: 'waiting', change: -1 });
    this.#book.take(pending);
    if (vm !== undefined) this.#fleet.apply({ kind: 'ended', vm, nowMs: this.#clock.monotonic(), fault });
  }

  /** Its VM will not end it: back to the front of the line, if it may be tried again. A try on which nothing was sent does not count. */
  #takeBack(pending: Pending, untouched: boolean, why: string): void {
    const { vm } = pending;
    const mayRunTwice = vm !== undefined && this.#fleet.vm(vm)?.guest?.idempotent === true && pending.request.retry;
    this.#take(pending);
    if (untouched) pending.tries -= 1;
    else this.#mayBeKept(pending);
    if (pending.clients.length === 0) this.#close(pending);
    else if (untouched || (mayRunTwice && pending.tries < TRIES_MAX)) this.#wait(pending, 'first');
    else this.#end(pending, this.#failure(502, `VM ${vm} was lost while it worked on the request: ${why}`, vm));
  }

  /** Its guest may still send a reply that it kept: from here on the id must be known. */
  #mayBeKept(pending: Pending): void {
    pending.mayBeKept = true;
    if (pending.request.isIdGenerated !== true) return;
    pending.request = { ...pending.request, isIdGenerated: false };
    this.#memory.opened(pending);
  }

  /** All who waited for it have been told, and a repeat is a new request. */
  #close(pending: Pending): void {
    this.#memory.closed(pending);
    if (pending.mayBeKept) this.#late?.answered?.(pending.request.requestId);
  }

  /** The request whose end a VM has just told. */
  #returned(frame: number, vm: VmId, fault: boolean | undefined): Pending | undefined {
    const pending = this.#book.get(frame);
    if (pending?.vm !== vm) return undefined;
    this.#take(pending, fault);
    return pending;
  }

  #end(pending: Pending, outcome: Outcome): void {
    const { request, clients } = pending;
    for (let told = 0; told < clients.length; told++) this.counts.ended(outcome);
    if (request.isIdGenerated !== true) {
      this.#close(pending);
      this.#memory.ended(request, outcome, this.#clock.monotonic(), this.#fleet.params.dedupMs);
    }
    this.#book.end(pending, outcome);
  }

  #refuse(request: Request, status: RequestStatus, message: string): void {
    const outcome = this.#failure(status, message, undefined);
    this.counts.ended(outcome);
    request.replyTo.tell(outcome);
  }

  /** The payload of a kept error is `CODE message`, as in its frame. */
  #keptOutcome({ vm, ok, payload }: Extract<LinkEvent, { kind: 'link-orphaned-reply' }>): Outcome {
    if (ok) return { ok, payload, vm, host: this.#hostOf(vm) };
    const [, code = '502', message = ''] = /^(\d{3}) ?(.*)$/s.exec(new TextDecoder().decode(payload)) ?? [];
    const status = STATUSES.find((known) => known === Number(code)) ?? 502;
    return this.#failure(status, message, vm);
  }

  #failure(status: RequestStatus, message: string, vm: VmId | undefined): Outcome {
    if (vm === undefined) return { ok: false, status, message };
    return { ok: false, status, message, vm, host: this.#hostOf(vm) };
  }

  #hostOf(vm: VmId): string {
    return this.#fleet.vm(vm)?.host ?? '';
  }
}

const STATUSES: readonly RequestStatus[] = [400, 404, 413, 499, 501, 502, 503, 504];
