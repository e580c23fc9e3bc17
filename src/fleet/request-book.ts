import type { Ref } from '../actors/mod.ts';
import { DeadlineWheel } from './deadline-wheel.ts';
import { LinkedList } from './linked-list.ts';
import type { Client, Pending } from './pending.ts';
import type { Outcome, Request } from './request.ts';
import type { VmId } from './vm.ts';
import type { Work } from './work.ts';

/**
 * Every request in the router: in the waiting line or on a VM, by frame number and by deadline. It is the one place that tells clients,
 * and it tells each of them once.
 */
export class RequestBook implements Work {
  readonly #byFrame = new Map<number, Pending>();
  readonly #waiting = new LinkedList<Pending>();
  readonly #onVm = new Map<VmId, LinkedList<Pending>>();
  readonly #deadlines: DeadlineWheel<Client>;
  #lastFrame = 0;
  #clients = 0;

  constructor(nowMs: number) {
    this.#deadlines = new DeadlineWheel(nowMs);
  }

  /** Clients who have not been told. */
  get clients(): number {
    return this.#clients;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  open(request: Request): Pending {
    const pending: Pending = {
      request,
      clients: [],
      deadlineMs: request.deadlineMs,
      frame: 0,
      vm: undefined,
      tries: 0,
      mayBeKept: false,
      place: undefined,
    };
    this.join(pending, request.replyTo, request.deadlineMs);
    return pending;
  }

  /** One more who is told how it ends. */
  join(pending: Pending, replyTo: Ref<Outcome>, deadlineMs: number): void {
    const client: Client = { pending, replyTo, deadlineMs, timer: undefined };
    client.timer = this.#deadlines.add(client, deadlineMs);
    pending.clients.push(client);
    pending.deadlineMs = Math.max(pending.deadlineMs, deadlineMs);
    this.#clients += 1;
  }

  /** Tells all who wait for it. */
  end(pending: Pending, outcome: Outcome): void {
    for (const client of pending.clients) this.#tell(client, outcome);
    pending.clients.length = 0;
  }

  /** Tells one, whose deadline has passed. */
  endFor(client: Client, outcome: Outcome): void {
    const { clients } = client.pending;
    const index = clients.indexOf(client);
    if (index === -1) return;
    clients.splice(index, 1);
    this.#tell(client, outcome);
  }

  get(frame: number): Pending | undefined {
    return this.#byFrame.get(frame);
  }

  wait(pending: Pending, where: 'last' | 'first'): void {
    pending.place = where === 'last' ? this.#waiting.push(pending) : this.#waiting.unshift(pending);
  }

  get nextWaiting(): Pending | undefined {
    return this.#waiting.first;
  }

  isWaiting(pending: Pending): boolean {
    return pending.place?.list === this.#waiting;
  }

  /** Under a new frame number. */
  putOn(pending: Pending, vm: VmId): void {
    let list = this.#onVm.get(vm);
    if (list === undefined) {
      list = new LinkedList();
      this.#onVm.set(vm, list);
    }
    pending.frame = ++this.#lastFrame;
    pending.vm = vm;
    pending.place = list.push(pending);
    this.#byFrame.set(pending.frame, pending);
  }

  /** Takes it out of the line, or off its VM. */
  take(pending: Pending): void {
    const { place } = pending;
    if (place === undefined) return;
    place.list?.remove(place);
    pending.place = undefined;
    if (pending.vm === undefined) return;
    this.#byFrame.delete(pending.frame);
    pending.vm = undefined;
  }

  /** What is on a VM, first dispatched first. */
  on(vm: VmId): Pending[] {
    return [...(this.#onVm.get(vm) ?? [])];
  }

  /** Nothing will be put on that VM any more. */
  forget(vm: VmId): void {
    if (this.#onVm.get(vm)?.length === 0) this.#onVm.delete(vm);
  }

  all(): Pending[] {
    return [...this.#waiting, ...this.#byFrame.values()];
  }

  oldestDeadlineMs(vm: VmId): number | undefined {
    return this.#onVm.get(vm)?.first?.deadlineMs;
  }

  lastDeadlineMs(vm: VmId): number | undefined {
    const deadlines = this.on(vm).map((pending) => pending.deadlineMs);
    return deadlines.length === 0 ? undefined : Math.max(...deadlines);
  }

  /** Takes out who has waited long enough. */
  due(nowMs: number): Client[] {
    return this.#deadlines.due(nowMs);
  }

  #tell(client: Client, outcome: Outcome): void {
    if (client.timer === undefined) return;
    this.#deadlines.remove(client.timer);
    client.timer = undefined;
    this.#clients -= 1;
    client.replyTo.tell(outcome);
  }
}
