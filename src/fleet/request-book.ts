import { DeadlineWheel, type WheelEntry } from './deadline-wheel.ts';
import { LinkedList, type ListNode } from './linked-list.ts';
import type { Outcome, Request } from './request.ts';
import type { VmId } from './vm.ts';

/** A request that the router has taken and whose VM, if any, still owes an end. */
export interface Pending {
  /** The router's number: the frame id on the link. */
  readonly id: number;
  readonly request: Request;
  /** The VM that it is on. */
  vm: VmId | undefined;
  /** VMs that it has been on. */
  tries: number;
  /** Whether its client has been told. A VM may still be working on it. */
  ended: boolean;
  place: ListNode<Pending> | undefined;
  deadline: WheelEntry<Pending> | undefined;
}

/** Every request in the router: by number, in waiting order and by deadline. A client is told through `end`, once. */
export class RequestBook {
  readonly #byId = new Map<number, Pending>();
  readonly #waiting = new LinkedList<Pending>();
  readonly #deadlines: DeadlineWheel<Pending>;
  #lastId = 0;

  constructor(nowMs: number) {
    this.#deadlines = new DeadlineWheel(nowMs);
  }

  /** Requests whose end is open on either side. */
  get size(): number {
    return this.#byId.size;
  }

  open(request: Request): Pending {
    const id = ++this.#lastId;
    const pending: Pending = {
      id,
      request,
      vm: undefined,
      tries: 0,
      ended: false,
      place: undefined,
      deadline: undefined,
    };
    pending.deadline = this.#deadlines.add(pending, request.deadlineMs);
    this.#byId.set(id, pending);
    return pending;
  }

  get(id: number): Pending | undefined {
    return this.#byId.get(id);
  }

  on(vm: VmId): Pending[] {
    return [...this.#byId.values()].filter((pending) => pending.vm === vm);
  }

  all(): Pending[] {
    return [...this.#byId.values()];
  }

  wait(pending: Pending, where: 'last' | 'first' = 'last'): void {
    pending.place = where === 'last' ? this.#waiting.push(pending) : this.#waiting.unshift(pending);
  }

  nextWaiting(): Pending | undefined {
    const pending = this.#waiting.shift();
    if (pending !== undefined) pending.place = undefined;
    return pending;
  }

  /** @returns whether it was waiting */
  stopWaiting(pending: Pending): boolean {
    if (pending.place === undefined) return false;
    this.#waiting.remove(pending.place);
    pending.place = undefined;
    return true;
  }

  /** Tells the client, if it has not been told. */
  end(pending: Pending, outcome: Outcome): void {
    if (pending.ended) return;
    pending.ended = true;
    if (pending.deadline !== undefined) this.#deadlines.remove(pending.deadline);
    pending.request.replyTo.tell(outcome);
  }

  /** No VM owes anything for it any more. */
  close(pending: Pending): void {
    this.#byId.delete(pending.id);
  }

  due(nowMs: number): Pending[] {
    return this.#deadlines.due(nowMs);
  }
}
