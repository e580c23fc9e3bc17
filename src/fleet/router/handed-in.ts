import type { Clock, Ref } from '../../actors/mod.ts';
import { withdraw } from '../policy/expiry.ts';
import type { Reaction } from '../policy/reaction.ts';
import { NOTHING } from '../policy/reaction.ts';
import { failure } from '../policy/retries.ts';
import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { From, HandedEnd, NeighbourMessage, NeighbourPort } from './neighbour-messages.ts';
import type { NeighbourSession } from './neighbour-session.ts';
import type { RequestPath } from './request-path.ts';

type HandOn = Extract<NeighbourMessage, { kind: 'hand-on' }>;
type Home = NeighbourSession<HandedReply>;
type Ended = { readonly how: 'ended'; readonly outcome: Outcome };
type How =
  | Ended
  | { readonly how: 'refused' }
  | { readonly how: 'given-back'; readonly wasSent: boolean; readonly outcome?: Outcome };

const NO_BYTES = new Uint8Array(0);

/** The requests that other hosts have handed to this one. Their hosts answer for them; this one tells their clients where it may. */
export class HandedIn {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #path: RequestPath;
  readonly #port: NeighbourPort;
  readonly #from: From;

  constructor(fleet: Fleet, clock: Clock, path: RequestPath, port: NeighbourPort, from: From) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#path = path;
    this.#port = port;
    this.#from = from;
  }

  take(message: HandOn, home: Home, nowMs: number): void {
    const { id, what, replySubject, tries } = message;
    home.seen = Math.max(home.seen, id);
    home.granted(message.heardMs);
    if (home.handed.has(id)) return;
    const { leftMs, ...fields } = message.request;
    const reply = new HandedReply(this, home, id, replySubject);
    home.handed.set(id, reply);
    const request: Request = {
      ...fields,
      isHanded: true,
      deadlineMs: nowMs + leftMs,
      token: this.#port.seal(fields),
      replyTo: reply,
    };
    reply.open = this.#path.acceptHanded(request, { what, from: home.host }, tries, nowMs);
  }

  /** Nobody waits for it any more. */
  cancel(home: Home, id: number, nowMs: number): Reaction {
    const reply = home.handed.get(id);
    const waiter = reply?.open?.waiters.find(({ replyTo }) => replyTo === reply);
    return waiter === undefined ? NOTHING : withdraw(this.#fleet, waiter, nowMs);
  }

  /** Called by `HandedReply`, once for each. */
  end({ home, id, replySubject }: HandedReply, outcome: Outcome): void {
    home.handed.delete(id);
    const how = howOf(outcome);
    const number = how.how === 'ended' ? this.#publish(home, replySubject, outcome) : undefined;
    const told = number === undefined ? how : { ...how, outcome: sent(outcome) };
    const end: HandedEnd = {
      kind: 'handed-end',
      ...this.#from,
      id,
      to: home.session,
      seq: home.nextEnd(),
      ...told,
    };
    home.keep(end, number === undefined ? undefined : { number, outcome });
    if (home.ref !== undefined && !home.tell(end)) this.#tellSmall(home, end);
  }

  /** The link was made anew: it is told again what it has not confirmed. */
  tellAgain(home: Home, ref: Ref<NeighbourMessage>): void {
    for (const end of home.ends) if (!tell(ref, end)) this.#tellSmall(home, end, ref);
  }

  /** The way takes no message as large as that, or none at all now: then the end without the text is told with the next hello. */
  #tellSmall(home: Home, end: HandedEnd, ref = home.ref): void {
    if (end.how !== 'ended' || !end.outcome.ok || end.outcome.isSent === true) return;
    const why = `the reply of ${end.outcome.payload.length} bytes is too large to go by way of host ${home.host}`;
    const small: HandedEnd = { ...end, outcome: failure(this.#fleet, 'too-large', why, end.outcome.vm) };
    if (ref !== undefined && tell(ref, small)) home.keep(small);
  }

  /**
   * The client is told from here only while the host that took the request in cannot have given it up: it has heard this host lately, by the
   * clock here, which goes on while this process stands still.
   * @returns the number of the reply; undefined if it was not told
   */
  #publish(home: Home, replySubject: string | null, outcome: Outcome): number | undefined {
    if (replySubject === null || home.ref === undefined || outcome.isSent === true) return undefined;
    // Whether its time is over is for the host to say that took it in.
    if (!outcome.ok && (outcome.status === 504 || outcome.status === 499)) return undefined;
    if (this.#clock.monotonic() >= home.leaseUntilMs || !home.hasRoomToSend) return undefined;
    return this.#port.publish(replySubject, outcome);
  }
}

/** Takes the outcome of one request that was handed to this host, once. */
export class HandedReply implements Ref<Outcome> {
  readonly home: Home;
  readonly id: number;
  /** Null: the host that took it in tells the client. */
  replySubject: string | null;
  open: OpenRequest | undefined;
  readonly #handedIn: HandedIn;
  #isSettled = false;

  constructor(handedIn: HandedIn, home: Home, id: number, replySubject: string | null) {
    this.#handedIn = handedIn;
    this.home = home;
    this.id = id;
    this.replySubject = replySubject;
  }

  get path(): string {
    return `${this.home.host}:handed/${this.id}`;
  }

  tell(outcome: Outcome): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#handedIn.end(this, outcome);
    return true;
  }
}

function howOf(outcome: Outcome): How {
  if (outcome.ok) return outcome.isSent === true ? { how: 'refused' } : { how: 'ended', outcome };
  const { mayBeTriedAgain, ...failed } = outcome;
  if (mayBeTriedAgain === true) return { how: 'given-back', wasSent: true, outcome: failed };
  if (outcome.reason === 'queue-full') return { how: 'refused' };
  const isEnding = outcome.reason === 'shoal-stopping' || outcome.reason === 'router-away';
  return isEnding ? { how: 'given-back', wasSent: outcome.vm !== undefined } : { how: 'ended', outcome };
}

/** What the host is told that took it in: the text is here, under the client's own id. */
function sent(outcome: Outcome): Outcome {
  return outcome.ok ? { ...outcome, payload: NO_BYTES, isSent: true } : { ...outcome, isSent: true };
}

/** @returns false if it could not be told */
function tell(ref: Ref<NeighbourMessage>, message: NeighbourMessage): boolean {
  try {
    return ref.tell(message);
  } catch {
    // It is too large for the server.
    return false;
  }
}
