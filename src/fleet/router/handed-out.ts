import type { Clock } from '../../actors/mod.ts';
import { onGivenBack, onRefused } from '../policy/on-neighbour.ts';
import type { Reaction } from '../policy/reaction.ts';
import { failure } from '../policy/retries.ts';
import type { Fleet } from '../state/fleet.ts';
import { hopsOf, type OpenRequest } from '../state/open-request.ts';
import type { HandOnFor } from '../values/neighbour.ts';
import type { Outcome } from '../values/request.ts';
import type { From, HandedEnd } from './neighbour-messages.ts';
import type { NeighbourSession } from './neighbour-session.ts';

type Worker = Pick<NeighbourSession<unknown>, 'host' | 'session' | 'stampMs' | 'taken' | 'tell'>;

/** What handed-out requests need of the rest of the router. */
interface HandedOutPorts {
  /** This router. */
  readonly from: From;
  readonly worker: (host: string) => Worker | undefined;
  readonly carryOut: (reaction: Reaction) => void;
  readonly answer: (request: OpenRequest, outcome: Outcome) => void;
  /** A host has not done it. */
  readonly onBack: (request: OpenRequest, host: string, why: string) => void;
}

/** The requests of this host that others have: it answers for them. */
export class HandedOut {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #ports: HandedOutPorts;

  constructor(fleet: Fleet, clock: Clock, ports: HandedOutPorts) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#ports = ports;
  }

  /** @returns false if it was not handed on: it is where it was */
  hand(request: OpenRequest, host: string, what: HandOnFor | 'known'): boolean {
    const worker = this.#ports.worker(host);
    if (worker === undefined) return false;
    const { requests } = this.#fleet;
    const { requestId, isIdGenerated = false, op, payload, retry, replySubject, replyTo } = request.request;
    const { contentType } = request.request;
    const frame = requests.nextFrame();
    const [first] = request.waiters;
    // The client that the subject belongs to, if it is the only one that waits.
    const sentTo = request.waiters.length === 1 && first?.replyTo === replyTo ? first : undefined;
    const leftMs = Math.max(0, request.deadlineMs - this.#clock.monotonic());
    const isTold = worker.tell({
      kind: 'hand-on',
      ...this.#ports.from,
      id: frame,
      what,
      request: {
        ...{ requestId, isIdGenerated, op, payload, leftMs, retry },
        ...(contentType === undefined ? {} : { contentType }),
      },
      replySubject: sentTo === undefined ? null : (replySubject ?? null),
      heardMs: worker.stampMs,
      tries: request.tries,
    });
    if (!isTold) return false;
    hopsOf(request).sentTo = sentTo;
    return this.#fleet.apply({ kind: 'request-handed', request, host, frame });
  }

  cancel(host: string, id: number): void {
    this.#ports.worker(host)?.tell({ kind: 'handed-cancel', ...this.#ports.from, id });
  }

  ended(end: HandedEnd, worker: { taken: number; readonly session: string }, nowMs: number): void {
    if (end.seq <= worker.taken) return;
    worker.taken = end.seq;
    const request = this.#fleet.requests.get(end.id);
    // It may be the end of a try that was given up, as the host was lost.
    if (request?.neighbour?.session !== worker.session) return;
    switch (end.how) {
      case 'refused':
        this.#fleet.requests.counts.handedBack += 1;
        this.#ports.onBack(request, end.host, 'has refused it');
        return this.#ports.carryOut(onRefused(this.#fleet, request, end.host, nowMs));
      case 'given-back':
        this.#ports.onBack(request, end.host, 'is shutting down, and gives it back');
        return this.#ports.carryOut(onGivenBack(this.#fleet, request, end.wasSent, nowMs));
      case 'ended':
        return this.#ended(request, end.host, end.outcome, nowMs);
    }
  }

  #ended(request: OpenRequest, host: string, outcome: Outcome, nowMs: number): void {
    const hops = hopsOf(request);
    const { sentTo } = hops;
    this.#fleet.apply({ kind: 'request-left', request, nowMs });
    hops.sentTo = undefined;
    const others = request.waiters.filter((waiter) => waiter !== sentTo);
    if (outcome.isSent !== true || !outcome.ok || others.length === 0) {
      this.#ports.answer(request, isLate(outcome, request, nowMs) ? late(this.#fleet, host) : outcome);
      return;
    }
    // Repeats have joined it meanwhile. The text is with the host that worked, under the id.
    if (sentTo !== undefined) this.#fleet.requests.endFor(sentTo, outcome);
    if (this.hand(request, host, 'known')) return;
    this.#ports.answer(request, failure(this.#fleet, 'host-lost', `host ${host} was lost with the reply`));
  }
}

/** The host that worked was told that nobody waits, because the deadline had passed here. */
function isLate(outcome: Outcome, { deadlineMs }: OpenRequest, nowMs: number): boolean {
  return !outcome.ok && outcome.reason === 'cancelled' && deadlineMs <= nowMs;
}

function late(fleet: Fleet, host: string): Outcome {
  return failure(fleet, 'expired-on-vm', `its deadline passed while host ${host} had it`);
}
