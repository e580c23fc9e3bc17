import { LinkedList, type Ref, TimingWheel } from '../../actors/mod.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { NeighbourRecord } from './neighbour.ts';
import { hopsOf, type OpenRequest, openRequest, type Waiter } from './open-request.ts';
import { ReplyCache } from './reply-cache.ts';
import { RequestCounts } from './request-counts.ts';
import type { VmRecord } from './vm.ts';

/**
 * Every open request, by place, frame number and deadline. It is the one place that tells clients, and it tells each of them once.
 * The requests on a VM stand in the VM's own record.
 */
export class RequestTable {
  readonly cache = new ReplyCache();
  readonly counts = new RequestCounts();
  readonly #byFrame = new Map<number, OpenRequest>();
  readonly #line = new LinkedList<OpenRequest>();
  readonly #asking = new LinkedList<OpenRequest>();
  readonly #deadlines: TimingWheel<Waiter>;
  #lastFrame = 0;
  #waiters = 0;

  constructor(nowMs: number) {
    this.#deadlines = new TimingWheel(nowMs);
  }

  /** Clients that have not been told how their request ended. */
  get waiters(): number {
    return this.#waiters;
  }

  /** Requests that wait for a VM. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Requests that other hosts are asked about. */
  get asking(): number {
    return this.#asking.length;
  }

  /** Requests that are on VMs, or with other hosts. */
  get dispatched(): number {
    return this.#byFrame.size;
  }

  get firstInLine(): OpenRequest | undefined {
    return this.#line.first;
  }

  get(frame: number): OpenRequest | undefined {
    return this.#byFrame.get(frame);
  }

  all(): readonly OpenRequest[] {
    return [...this.#line, ...this.#asking, ...this.#byFrame.values()];
  }

  open(request: Request, nowMs: number): OpenRequest {
    const open = openRequest(request, nowMs);
    this.join(open, request.replyTo, request.deadlineMs);
    this.cache.opened(open);
    return open;
  }

  /** One more client is told how the request ends. */
  join(request: OpenRequest, replyTo: Ref<Outcome>, deadlineMs: number): void {
    const waiter: Waiter = { request, replyTo, deadlineMs, timer: undefined };
    waiter.timer = this.#deadlines.add(waiter, deadlineMs);
    request.waiters.push(waiter);
    request.deadlineMs = Math.max(request.deadlineMs, deadlineMs);
    this.#waiters += 1;
  }

  wait(request: OpenRequest, where: 'last' | 'first'): void {
    request.place = where === 'last' ? this.#line.push(request) : this.#line.unshift(request);
  }

  /** Puts the request on a VM under a new frame number. */
  putOn(request: OpenRequest, vm: Pick<VmRecord, 'id' | 'take'>): void {
    request.frame = this.nextFrame();
    request.vm = vm.id;
    request.place = vm.take(request);
    this.#byFrame.set(request.frame, request);
  }

  /** Puts the request on another host. Its number is given already. */
  handTo(request: OpenRequest, neighbour: NeighbourRecord): void {
    request.neighbour = neighbour;
    request.place = neighbour.requests.push(request);
    this.#byFrame.set(request.frame, request);
  }

  /** A number that no request had. */
  nextFrame(): number {
    return ++this.#lastFrame;
  }

  /** It stands in no line while other hosts are asked about it. */
  ask(request: OpenRequest): void {
    request.place = this.#asking.push(request);
    hopsOf(request).isAsking = true;
  }

  /** A client is told later than at its deadline. */
  extend(waiter: Waiter, untilMs: number): void {
    waiter.timer = this.#deadlines.add(waiter, untilMs);
  }

  /** Takes the request out of the line, off its VM, or from the host that has it. */
  take(request: OpenRequest): void {
    const { place } = request;
    if (place === undefined) return;
    place.list?.remove(place);
    request.place = undefined;
    if (request.hops !== undefined) {
      request.hops.isAsking = false;
      request.hops.isJoined = false;
    }
    if (request.vm === undefined && request.neighbour === undefined) return;
    this.#byFrame.delete(request.frame);
    request.vm = undefined;
    request.neighbour = undefined;
  }

  /** A guest may still send the reply that it kept: from here on the id must be known. */
  mayBeOrphaned(request: OpenRequest): void {
    request.mayBeOrphaned = true;
    if (request.request.isIdGenerated !== true) return;
    request.request = { ...request.request, isIdGenerated: false };
    this.cache.opened(request);
  }

  /** Tells all who wait for it. */
  end(request: OpenRequest, outcome: Outcome): void {
    for (const waiter of request.waiters) this.#tell(waiter, outcome);
    request.waiters.length = 0;
  }

  /** Tells one client, whose deadline has passed. */
  endFor(waiter: Waiter, outcome: Outcome): void {
    const { waiters } = waiter.request;
    const index = waiters.indexOf(waiter);
    if (index === -1) return;
    waiters.splice(index, 1);
    this.#tell(waiter, outcome);
  }

  /** Takes out the clients whose deadline has passed. */
  due(nowMs: number): readonly Waiter[] {
    return this.#deadlines.due(nowMs);
  }

  #tell(waiter: Waiter, outcome: Outcome): void {
    if (waiter.timer === undefined) return;
    this.#deadlines.remove(waiter.timer);
    waiter.timer = undefined;
    this.#waiters -= 1;
    waiter.replyTo.tell(outcome);
  }
}
