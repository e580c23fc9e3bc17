import type { Clock } from '../../actors/mod.ts';
import { admit, admitHanded, admitNext, type Handed } from '../policy/admission.ts';
import type { HandOnDecision } from '../policy/decision.ts';
import { tooLate } from '../policy/expiry.ts';
import { placeOrphan } from '../policy/orphans.ts';
import { failureOfGuest, isFault } from '../policy/retries.ts';
import type { Fleet } from '../state/fleet.ts';
import { hopsOf, type OpenRequest, type Waiter } from '../state/open-request.ts';
import type { LinkEvent } from '../values/link-messages.ts';
import { type HandOnFor, HOPS_AGAIN_MS } from '../values/neighbour.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';
import type { OrphanedReplyPort, Responder } from './effects.ts';
import type { LinkSender } from './links.ts';
import { RequestRecorder } from './request-recorder.ts';
import type { RouterOptions } from './router-options.ts';

/** How requests get to other hosts. */
export interface HandOver {
  /** @returns false if it cannot be handed on now */
  hand(request: OpenRequest, host: string, what: HandOnFor): boolean;
  /** Asks others about a repeat. @param host the one that knows; undefined: all @returns false if there is nobody to ask */
  ask(request: OpenRequest, host: string | undefined, nowMs: number): boolean;
}

/** The hot path: requests to links, ends to clients. It is imperative and cheap, and decides nothing: its judgements are the policy's. */
export class RequestPath implements Responder {
  readonly #fleet: Fleet;
  readonly #links: LinkSender;
  readonly #clock: Clock;
  readonly #orphans: OrphanedReplyPort | undefined;
  /** Called when a request waits that did not before: R3 may want another VM. */
  readonly #onWaiting: () => void;
  readonly #recorder: RequestRecorder | undefined;
  /** Undefined: there are no other hosts. */
  handOver: HandOver | undefined;

  constructor(
    fleet: Fleet,
    links: LinkSender,
    clock: Clock,
    { orphanedReplies, onRequest }: Pick<RouterOptions, 'orphanedReplies' | 'onRequest'>,
    onWaiting: () => void,
  ) {
    this.#fleet = fleet;
    this.#links = links;
    this.#clock = clock;
    this.#orphans = orphanedReplies;
    this.#onWaiting = onWaiting;
    this.#recorder = onRequest === undefined ? undefined : new RequestRecorder(fleet, clock, onRequest);
  }

  /** Clients that have not been told how their request ended. */
  get open(): number {
    return this.#fleet.requests.waiters;
  }

  accept(request: Request, nowMs: number): void {
    const { requests, isClosing } = this.#fleet;
    if (isClosing) return void request.replyTo.tell(tooLate(this.#fleet));
    const { counts } = requests;
    counts.accepted += 1;
    if (requests.waiting > 0) this.serveWaiting(nowMs);
    const trace = this.#recorder?.trace(nowMs);
    const admission = admit(this.#fleet, request, nowMs, trace);
    if (trace !== undefined) this.#recorder?.routed(request.requestId, admission, trace);
    switch (admission.kind) {
      case 'end':
        if (admission.rule !== undefined) counts.routed(admission.rule);
        counts.ended(admission.outcome);
        this.#recorder?.ended(request.requestId, admission.outcome, undefined, trace);
        request.replyTo.tell(admission.outcome);
        return;
      case 'join':
        counts.routed('R11');
        return requests.join(admission.request, request.replyTo, request.deadlineMs);
      case 'dispatch':
        counts.routed(admission.rule);
        return this.#dispatch(this.#open(request, nowMs, trace), admission.vm, nowMs);
      case 'wait':
        counts.routed(admission.rule);
        return this.#wait(this.#open(request, nowMs, trace), 'last');
      case 'hand-on':
        counts.routed(admission.rule);
        this.#handOn(this.#open(request, nowMs, trace), admission, nowMs);
        return;
      case 'ask': {
        counts.routed('R11');
        const open = this.#open(request, nowMs, trace);
        if (this.handOver?.ask(open, admission.host, nowMs) === true) return;
        this.#wait(open, 'last');
        return this.serveWaiting(nowMs);
      }
    }
  }

  /** Takes a request that another host has handed on. @returns undefined if it has ended at once */
  acceptHanded(request: Request, handed: Handed, tries: number, nowMs: number): OpenRequest | undefined {
    const { requests } = this.#fleet;
    requests.counts.handedIn += 1;
    if (requests.waiting > 0) this.serveWaiting(nowMs);
    const trace = this.#recorder?.trace(nowMs);
    const admission = admitHanded(this.#fleet, request, handed, nowMs);
    if (trace !== undefined) this.#recorder?.routed(request.requestId, admission, trace);
    switch (admission.kind) {
      case 'end':
        request.replyTo.tell(admission.outcome);
        return undefined;
      case 'join':
        requests.join(admission.request, request.replyTo, request.deadlineMs);
        return admission.request;
      case 'dispatch':
      case 'wait': {
        const open = this.#open(request, nowMs, trace);
        open.tries = tries;
        if (admission.kind === 'dispatch') this.#dispatch(open, admission.vm, nowMs);
        else this.#wait(open, 'last');
        return open;
      }
    }
  }

  /** It stands in line from now on. */
  wait(request: OpenRequest): void {
    this.#wait(request, 'last');
  }

  reply({ id, vm, payload, contentType }: Extract<LinkEvent, { kind: 'link-reply' }>, nowMs: number): void {
    const request = this.#returned(id, vm, false, false, nowMs);
    if (request === undefined) return;
    const outcome = { ok: true, payload, vm, host: this.#fleet.host.name } as const;
    this.answer(request, contentType === undefined ? outcome : { ...outcome, contentType });
    this.serveWaiting(nowMs);
  }

  error({ id, vm, status, message }: Extract<LinkEvent, { kind: 'link-error' }>, nowMs: number): void {
    const request = this.#returned(id, vm, isFault(status), status === 499 ? undefined : true, nowMs);
    if (request === undefined) return;
    this.answer(request, failureOfGuest(this.#fleet, status, message, vm, request.request.op));
    this.serveWaiting(nowMs);
  }

  /** A reply that outlived the connection, or the Shoal, that asked for it (R11). */
  orphanedReply(reply: Extract<LinkEvent, { kind: 'link-orphaned-reply' }>, nowMs: number): void {
    const requestId = this.#orphans?.open(reply.token)?.requestId;
    if (requestId === undefined) return;
    const isAnswered = this.#orphans?.hasAnswered?.(requestId) === true;
    const decision = placeOrphan(this.#fleet, reply, requestId, isAnswered);
    if (decision.kind === 'publish') this.#orphans?.publish(reply.token, decision.outcome);
    if (decision.kind !== 'end') return;
    const { request, outcome } = decision;
    if (request.vm === undefined) this.#left(request, nowMs);
    else this.#links.tell(request.vm, { kind: 'cancel', id: request.frame });
    this.answer(request, outcome);
  }

  /** Requests in arrival order go to the VMs that are free, as far as they reach. */
  serveWaiting(nowMs: number): void {
    const { requests } = this.#fleet;
    for (let next = requests.firstInLine; next !== undefined; next = requests.firstInLine) {
      const trace = next.isRecorded ? [] : undefined;
      const admission = admitNext(this.#fleet, next, nowMs, trace);
      if (admission.kind !== 'dispatch' && admission.kind !== 'end' && admission.kind !== 'hand-on') return;
      if (trace !== undefined) this.#recorder?.routed(next.request.requestId, admission, trace, next.arrivedMs);
      this.#left(next, nowMs);
      if (admission.kind === 'end') this.answer(next, admission.outcome);
      else if (admission.kind === 'hand-on') {
        if (!this.#handOn(next, admission, nowMs)) return;
      } else this.#dispatch(next, admission.vm, nowMs);
    }
  }

  /** The host that it was handed on to has not done it. */
  cameBack(request: OpenRequest, host: string, why: string): void {
    if (request.isRecorded) this.#recorder?.cameBack(request, host, why);
  }

  answer(request: OpenRequest, outcome: Outcome): void {
    const { requests, params } = this.#fleet;
    if (request.request.isHanded !== true) {
      for (let told = 0; told < request.waiters.length; told++) this.#fleet.requests.counts.ended(outcome);
    }
    if (request.request.isIdGenerated !== true) {
      this.forget(request);
      // An end that nobody waits for does not take the place of a reply that a client was told.
      const isNews = request.waiters.length > 0 || !requests.cache.hasEnded(request.request.requestId);
      if (isNews) requests.cache.ended(request.request, storedOf(outcome), this.#clock.monotonic(), params.dedupMs);
    }
    // Whoever waited until the deadline was told another end, which was recorded then.
    if (request.waiters.length > 0) this.#recorder?.ended(request.request.requestId, outcome, request);
    requests.end(request, outcome);
  }

  answerOne(waiter: Waiter, outcome: Outcome): void {
    const { request } = waiter;
    this.#fleet.requests.counts.ended(outcome);
    this.#recorder?.ended(request.request.requestId, outcome, request);
    this.#fleet.requests.endFor(waiter, outcome);
  }

  /** All that waited for it have been told, and a repeat is a new request. */
  forget(request: OpenRequest): void {
    this.#fleet.requests.cache.closed(request);
    if (!request.mayBeOrphaned) return;
    this.#fleet.requests.cache.orphaned(request.request);
    this.#orphans?.answered?.(request.request.requestId);
  }

  #open(request: Request, nowMs: number, trace: unknown): OpenRequest {
    const open = this.#fleet.requests.open(request, nowMs);
    open.isRecorded = trace !== undefined;
    return open;
  }

  #handOn(request: OpenRequest, { host, what }: HandOnDecision, nowMs: number): boolean {
    if (this.handOver?.hand(request, host, what) === true) return true;
    // The way is full, or takes no message of that size.
    hopsOf(request).notBeforeMs = nowMs + HOPS_AGAIN_MS;
    this.#wait(request, 'first');
    return false;
  }

  #wait(request: OpenRequest, where: 'last' | 'first'): void {
    this.#fleet.apply({ kind: 'request-waits', request, where });
    this.#onWaiting();
  }

  #dispatch(request: OpenRequest, vm: VmId, nowMs: number): void {
    this.#fleet.apply({ kind: 'request-dispatched', request, vm });
    const { op, token, payload, contentType, requestId } = request.request;
    const { frame: id, deadlineMs } = request;
    const takesTypes = this.#fleet.vm(vm)?.guest?.payload === 'bytes';
    const what = { op, token, payload, contentType, takesTypes };
    if (this.#links.tell(vm, { kind: 'request', id, ...what, requestId, deadlineMs })) return;
    this.#fleet.apply({ kind: 'request-left', request, nowMs, tried: 'unsent' });
    // An overload, or the end of the link, which tells of itself: neither is a fault of the VM.
    this.#fleet.apply({ kind: 'vm-congested', vm, congested: true });
    this.#wait(request, 'first');
  }

  #left(request: OpenRequest, nowMs: number): void {
    this.#fleet.apply({ kind: 'request-left', request, nowMs });
  }

  /** The request whose end a VM has just told. */
  #returned(
    frame: number,
    vm: VmId,
    fault: boolean | undefined,
    isError: boolean | undefined,
    nowMs: number,
  ): OpenRequest | undefined {
    const request = this.#fleet.requests.get(frame);
    if (request?.vm !== vm) return undefined;
    this.#fleet.apply({ kind: 'request-left', request, nowMs, fault, isError });
    return request;
  }
}

/** An error that another host has told the client of is known in full; of a reply the text is there. */
function storedOf(outcome: Outcome): Outcome {
  if (outcome.ok || outcome.isSent !== true) return outcome;
  const { isSent: _, ...all } = outcome;
  return all;
}
