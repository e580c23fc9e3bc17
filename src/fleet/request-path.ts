import type { Clock } from '../actors/mod.ts';
import type { Fleet } from './fleet.ts';
import type { LinkEvent } from './link-messages.ts';
import type { Links } from './links.ts';
import type { Outcome, Request, RequestStatus } from './request.ts';
import { type Pending, RequestBook } from './request-book.ts';
import { route } from './route.ts';
import type { VmId } from './vm.ts';

/** R11: a request is tried at most once more than the first time. */
const TRIES_MAX = 2;

/** Carries `route`'s decisions out: requests to links, ends to clients. */
export class RequestPath {
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #book: RequestBook;
  /** Called when a request waits that did not before: R3 may want another VM. */
  readonly #onWaiting: () => void;

  constructor(fleet: Fleet, links: Links, clock: Clock, onWaiting: () => void) {
    this.#fleet = fleet;
    this.#links = links;
    this.#clock = clock;
    this.#book = new RequestBook(clock.monotonic());
    this.#onWaiting = onWaiting;
  }

  /** Requests that are waiting, in work, or given up but still with a VM. */
  get open(): number {
    return this.#book.size;
  }

  accept(request: Request): void {
    const nowMs = this.#clock.monotonic();
    const pending = this.#book.open(request);
    if (request.deadlineMs <= nowMs) this.#refuse(pending, 504, 'its deadline had passed when it came');
    else this.#place(pending, nowMs);
  }

  reply(event: Extract<LinkEvent, { kind: 'link-reply' }>): void {
    const pending = this.#finished(event);
    if (pending === undefined) return;
    const host = this.#fleet.vm(event.vm)?.host ?? '';
    this.#book.end(pending, { ok: true, payload: event.payload, vm: event.vm, host });
    this.serveWaiting();
  }

  error(event: Extract<LinkEvent, { kind: 'link-error' }>): void {
    const pending = this.#finished(event);
    if (pending === undefined) return;
    this.#book.end(pending, this.#failure(event.status, event.message, event.vm));
    this.serveWaiting();
  }

  /** The link of a VM is gone: what was on it is tried elsewhere if it may be, and ends if not (R11). */
  lost(vm: VmId, unsent: ReadonlySet<number>, why: string): void {
    const mayRunTwice = this.#fleet.vm(vm)?.guest?.idempotent === true;
    for (const pending of this.#book.on(vm).reverse()) {
      this.#fleet.apply({ kind: 'ended', vm });
      pending.vm = undefined;
      const untouched = unsent.has(pending.id);
      const again = untouched || (mayRunTwice && pending.request.retry && pending.tries < TRIES_MAX);
      if (pending.ended) this.#book.close(pending);
      else if (again) this.#again(pending, untouched);
      else this.#refuse(pending, 502, `VM ${vm} was lost while it worked on the request: ${why}`, vm);
    }
    this.serveWaiting();
  }

  /** Requests in arrival order go to the VMs that are free, as far as they reach. */
  serveWaiting(): void {
    const nowMs = this.#clock.monotonic();
    while (this.#fleet.waiting > 0) {
      const pending = this.#book.nextWaiting();
      if (pending === undefined) return;
      this.#fleet.apply({ kind: 'waiting', change: -1 });
      const decision = route(this.#fleet, nowMs);
      if (decision.kind !== 'dispatch') {
        // It has been let in already: a limit that is now reached is not held against it.
        this.#book.wait(pending, 'first');
        this.#fleet.apply({ kind: 'waiting', change: 1 });
        return;
      }
      this.#dispatch(pending, decision.vm);
    }
  }

  /** Ends what is past its deadline. A VM that works on it is asked to stop, and stays busy until it says so. */
  expire(): void {
    for (const pending of this.#book.due(this.#clock.monotonic())) {
      const { vm } = pending;
      this.#book.end(pending, this.#failure(504, 'its deadline passed', vm));
      if (this.#book.stopWaiting(pending)) this.#fleet.apply({ kind: 'waiting', change: -1 });
      if (vm === undefined) this.#book.close(pending);
      else this.#links.tell(vm, { kind: 'cancel', id: pending.id });
    }
  }

  /** Ends everything that is open; for the end of the server. */
  refuseAll(why: string): void {
    for (const pending of this.#book.all()) {
      if (this.#book.stopWaiting(pending)) this.#fleet.apply({ kind: 'waiting', change: -1 });
      this.#refuse(pending, 503, why, pending.vm);
    }
  }

  #place(pending: Pending, nowMs: number): void {
    const decision = route(this.#fleet, nowMs);
    switch (decision.kind) {
      case 'dispatch':
        return this.#dispatch(pending, decision.vm);
      case 'wait':
        return this.#wait(pending, 'last');
      case 'refuse':
        return this.#refuse(pending, decision.status, decision.message);
    }
  }

  #wait(pending: Pending, where: 'last' | 'first'): void {
    this.#book.wait(pending, where);
    this.#fleet.apply({ kind: 'waiting', change: 1 });
    this.#onWaiting();
  }

  #dispatch(pending: Pending, vm: VmId): void {
    pending.vm = vm;
    pending.tries += 1;
    this.#fleet.apply({ kind: 'dispatched', vm });
    const { op, token, payload } = pending.request;
    if (this.#links.tell(vm, { kind: 'request', id: pending.id, op, token, payload })) return;
    this.#fleet.apply({ kind: 'ended', vm });
    this.#fleet.apply({ kind: 'vm-linked', vm, linked: false, nowMs: this.#clock.monotonic() });
    pending.vm = undefined;
    this.#again(pending, true);
  }

  /** Back to the front of the line; a try on which nothing was sent does not count. */
  #again(pending: Pending, untouched: boolean): void {
    if (untouched) pending.tries -= 1;
    this.#wait(pending, 'first');
  }

  #refuse(pending: Pending, status: RequestStatus, message: string, vm?: VmId): void {
    this.#book.end(pending, this.#failure(status, message, vm));
    this.#book.close(pending);
  }

  #finished({ id, vm }: { readonly id: number; readonly vm: VmId }): Pending | undefined {
    const pending = this.#book.get(id);
    if (pending === undefined || pending.vm !== vm) return undefined;
    this.#fleet.apply({ kind: 'ended', vm });
    this.#book.close(pending);
    return pending;
  }

  #failure(status: RequestStatus, message: string, vm: VmId | undefined): Outcome {
    if (vm === undefined) return { ok: false, status, message };
    return { ok: false, status, message, vm, host: this.#fleet.vm(vm)?.host ?? '' };
  }
}
