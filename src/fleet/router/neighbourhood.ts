import { type Context, randomHex } from '../../actors/mod.ts';
import { differ, figuresOf } from '../policy/hand-on.ts';
import { decidedFromMs, onNeighbourBack, onNeighbourGone } from '../policy/on-neighbour.ts';
import type { Reaction } from '../policy/reaction.ts';
import type { Fleet } from '../state/fleet.ts';
import { hopsOf, type OpenRequest } from '../state/open-request.ts';
import { type HandOnFor, type HostFigures, LEASE_MS } from '../values/neighbour.ts';
import { HandedIn, type HandedReply } from './handed-in.ts';
import { HandedOut } from './handed-out.ts';
import { kindsOf } from './kinds.ts';
import { Lookups } from './lookups.ts';
import type { Beat, From, NeighbourMessage, NeighbourPort } from './neighbour-messages.ts';
import { NeighbourSession } from './neighbour-session.ts';
import type { RequestPath } from './request-path.ts';
import type { RouterMessage } from './router-messages.ts';
import { UnsentReplies } from './unsent-replies.ts';

export const isNeighbourMessage = kindsOf<NeighbourMessage>({
  'neighbour-up': true,
  'neighbour-lost': true,
  'neighbour-hello': true,
  'neighbour-figures': true,
  'hand-on': true,
  'handed-end': true,
  'handed-cancel': true,
  find: true,
  found: true,
  'tell-figures': true,
});

/** Changes of figures are told together after so long; with many neighbours after longer, so that telling them all stays cheap. */
const TELL_MS = 10;
const TELL_MS_A_NEIGHBOUR = 1;
const BEAT_MS = 1_000;
const BEAT_MS_A_NEIGHBOUR = 10;
/** With many neighbours, one that has no work for this host nor from it hears less often: changes it is told anyway. */
const IDLE_BEAT_MS_A_NEIGHBOUR = 50;
/** A host asks for more of its right to answer clients at this pace, while it works for them. */
const ASK_MS = 200;
/** A neighbour that was lost for so long is forgotten: its router does not come back. */
const FORGET_MS = 60_000;
const SESSION_BYTES = 8;

type Session = NeighbourSession<HandedReply>;

export interface NeighbourhoodOptions {
  readonly context: Context<RouterMessage>;
  readonly fleet: Fleet;
  readonly path: RequestPath;
  readonly port: NeighbourPort;
  readonly carryOut: (reaction: Reaction) => void;
}

/** The routers of other hosts: who is there, what they are told, and the requests that go between them and this one. */
export class Neighbourhood {
  readonly #context: Context<RouterMessage>;
  readonly #fleet: Fleet;
  readonly #path: RequestPath;
  readonly #carryOut: (reaction: Reaction) => void;
  readonly #from: From;
  readonly #sessions = new Map<string, Session>();
  /** Those that there is a link to, by host. */
  readonly #linked = new Map<string, Session>();
  readonly #in: HandedIn;
  readonly #out: HandedOut;
  readonly #lookups: Lookups;
  readonly #unsent: UnsentReplies;
  #isTellDue = false;

  constructor({ context, fleet, path, port, carryOut }: NeighbourhoodOptions) {
    this.#context = context;
    this.#fleet = fleet;
    this.#path = path;
    this.#carryOut = carryOut;
    this.#from = { host: fleet.host.name, session: randomHex(context.system.random, SESSION_BYTES) };
    this.#in = new HandedIn(fleet, context.clock, path, port, this.#from);
    this.#unsent = new UnsentReplies(port);
    this.#out = new HandedOut(fleet, context.clock, {
      from: this.#from,
      worker: (host) => this.#linked.get(host),
      carryOut,
      answer: (request, outcome) => path.answer(request, outcome),
      onBack: (request, host, why) => path.cameBack(request, host, why),
    });
    this.#lookups = new Lookups(
      fleet,
      this.#from,
      (host, message) => this.#linked.get(host)?.tell(message) === true,
      (request, host, isAsking) => this.#onKnown(request, host, isAsking),
    );
    path.handOver = {
      hand: (request, host, what) => this.#hand(request, host, what),
      ask: (request, host, nowMs) => this.#lookups.ask(request, host, nowMs),
    };
    const leave = port.join(context.self, (toMessage) => context.adapt(toMessage));
    const unfollow = port.onLost(() => this.#unsent.lost([...this.#sessions.values()]));
    context.onStop(() => {
      unfollow();
      leave();
    });
  }

  receive(message: NeighbourMessage, nowMs: number): void {
    switch (message.kind) {
      case 'neighbour-up':
        return this.#greet(message, nowMs);
      case 'neighbour-lost':
        return this.#lost(message.host, message.why, nowMs, message.isThere);
      case 'neighbour-hello':
        return this.#hello(message, nowMs);
      case 'tell-figures':
        this.#isTellDue = false;
        return this.#tellFigures(nowMs);
      default:
        return this.#take(message, nowMs);
    }
  }

  /** Figures may have changed: they are told after a moment. Costs nothing where there is no neighbour. */
  changed(): void {
    if (this.#isTellDue || this.#linked.size === 0) return;
    this.#isTellDue = true;
    const delayMs = Math.max(TELL_MS, TELL_MS_A_NEIGHBOUR * this.#linked.size);
    this.#context.after(delayMs, { kind: 'tell-figures' });
  }

  /** At each look at the time. */
  tick(nowMs: number): void {
    if (this.#sessions.size === 0 && !this.#unsent.isInheritanceUnsure) return;
    this.#lookups.expire(nowMs);
    for (const neighbour of [...this.#fleet.neighbours.lost]) {
      const heardMs = this.#sessions.get(neighbour.session)?.stampHeardMs ?? Number.NEGATIVE_INFINITY;
      if (decidedFromMs(neighbour, heardMs) > nowMs) continue;
      this.#carryOut(onNeighbourGone(this.#fleet, neighbour, nowMs));
    }
    for (const session of this.#sessions.values()) {
      if (session.lostMs !== undefined && nowMs - session.lostMs >= FORGET_MS) this.#sessions.delete(session.session);
    }
    this.#unsent.look([...this.#sessions.values()], nowMs);
    const beatMs = Math.max(BEAT_MS, BEAT_MS_A_NEIGHBOUR * this.#linked.size);
    const idleMs = Math.max(BEAT_MS, IDLE_BEAT_MS_A_NEIGHBOUR * this.#linked.size);
    for (const session of this.#linked.values()) {
      const isUnsure = this.#unsent.isUnsure(session);
      const wantsLease = (session.handed.size > 0 || isUnsure) && session.leaseUntilMs - nowMs < LEASE_MS / 2;
      if (wantsLease && nowMs - session.askedMs >= ASK_MS) {
        if (isUnsure) this.#unsent.confirm();
        this.#beat(session, nowMs, true);
      } else if (nowMs - session.toldMs >= (session.isIdle ? idleMs : beatMs)) this.#beat(session, nowMs, false);
    }
  }

  /** Whether time alone may bring something about: the right to replies that may not have left ends. */
  isAtRest(): boolean {
    if (this.#unsent.isInheritanceUnsure) return false;
    for (const session of this.#sessions.values()) if (this.#unsent.isUnsure(session)) return false;
    return true;
  }

  cancel(host: string, frame: number): void {
    this.#out.cancel(host, frame);
  }

  #greet({ host, ref }: Extract<NeighbourMessage, { kind: 'neighbour-up' }>, nowMs: number): void {
    this.#lost(host, 'its link was made anew', nowMs);
    // What it missed of the sessions before: it tells which one it has.
    const known = [...this.#sessions.values()].filter((session) => session.host === host);
    for (const session of known) this.#in.tellAgain(session, ref);
    tell(ref, this.#helloTo(known.at(-1), false, nowMs));
  }

  #helloTo(session: Session | undefined, isAnswer: boolean, nowMs: number): NeighbourMessage {
    return {
      kind: 'neighbour-hello',
      ...this.#from,
      router: this.#context.self,
      isAnswer,
      to: session?.session ?? null,
      has: [...(session?.handed.keys() ?? [])],
      beat: beatOf(figuresOf(this.#fleet, nowMs), session, nowMs, false),
    };
  }

  #hello(message: Extract<NeighbourMessage, { kind: 'neighbour-hello' }>, nowMs: number): void {
    const { host, session: id, router, isAnswer, to, has, beat } = message;
    const before = this.#linked.get(host);
    if (before !== undefined && before.session !== id) this.#lost(host, 'its router was restarted', nowMs);
    const session = this.#sessions.get(id) ?? new NeighbourSession<HandedReply>(host, id);
    this.#sessions.set(id, session);
    const isNew = session.ref === undefined;
    session.ref = router;
    session.lostMs = undefined;
    session.beaten(beat, nowMs);
    this.#linked.set(host, session);
    // What ended since this host greeted it went nowhere. A hello says what is in hand, so the ends of the rest come before it.
    if (isNew) this.#in.tellAgain(session, router);
    // Before all else: it may know nothing of this router yet, and takes no requests from one that it does not know.
    if (!isAnswer) session.tell(this.#helloTo(session, true, nowMs));
    else this.#beat(session, nowMs, false);
    if (isNew) {
      this.#fleet.apply({ kind: 'neighbour-up', host, session: id, nowMs });
      const neighbour = this.#fleet.neighbours.get(host);
      if (neighbour !== undefined) {
        const there = to === this.#from.session ? has : [];
        this.#carryOut(onNeighbourBack(this.#fleet, neighbour, there, nowMs));
      }
    }
    this.#told(host, beat, nowMs);
  }

  #lost(host: string, why: string, nowMs: number, isThere = false): void {
    const session = this.#linked.get(host);
    if (session === undefined) return;
    this.#linked.delete(host);
    session.ref = undefined;
    session.lostMs = nowMs;
    session.told = undefined;
    // It may give these to others now: should it be back, that it hears this host again is no right to tell their clients.
    for (const reply of session.handed.values()) reply.replySubject = null;
    this.#fleet.apply({ kind: 'neighbour-lost', host, why, isThere, nowMs });
    this.#lookups.lost(host);
  }

  #take(
    message: Exclude<
      NeighbourMessage,
      { kind: 'neighbour-up' | 'neighbour-lost' | 'neighbour-hello' | 'tell-figures' }
    >,
    nowMs: number,
  ): void {
    const session = this.#sessions.get(message.session);
    if (session === undefined) return;
    switch (message.kind) {
      case 'handed-end':
        // It may be for the router before this one.
        if (message.to !== this.#from.session) return;
        this.#out.ended(message, session, nowMs);
        return this.#path.serveWaiting(nowMs);
      case 'neighbour-figures':
        session.beaten(message.beat, nowMs);
        this.#told(message.host, message.beat, nowMs);
        if (message.beat.isAsking) this.#beat(session, nowMs, false);
        return;
      case 'hand-on':
        return this.#in.take(message, session, nowMs);
      case 'handed-cancel':
        return this.#carryOut(this.#in.cancel(session, message.id, nowMs));
      case 'find': {
        const knows = this.#fleet.requests.cache.knows(message.request, nowMs);
        if (knows === 'asking') this.#lookups.asksToo(message.request.requestId, message.host);
        session.tell({ kind: 'found', ...this.#from, id: message.id, knows });
        return;
      }
      case 'found':
        return this.#lookups.found(message.id, message.host, message.knows);
    }
  }

  #told(host: string, { figures, seen }: Beat, nowMs: number): void {
    this.#fleet.apply({ kind: 'neighbour-told', host, figures, seen, nowMs });
    if (this.#fleet.requests.waiting > 0) this.#path.serveWaiting(nowMs);
  }

  #hand(request: OpenRequest, host: string, what: HandOnFor): boolean {
    if (!this.#out.hand(request, host, what)) return false;
    this.#fleet.requests.counts.handedOn += 1;
    return true;
  }

  /** Others were asked about a repeat. */
  #onKnown(request: OpenRequest, host: string | undefined, isAsking: boolean): void {
    const nowMs = this.#context.clock.monotonic();
    this.#fleet.apply({ kind: 'request-left', request, nowMs });
    if (host !== undefined && this.#out.hand(request, host, 'known')) {
      hopsOf(request).isJoined = isAsking;
      return;
    }
    this.#path.wait(request);
    this.#path.serveWaiting(nowMs);
  }

  #tellFigures(nowMs: number): void {
    const figures = figuresOf(this.#fleet, nowMs);
    for (const session of this.#linked.values()) {
      if (session.told === undefined || differ(session.told, figures)) this.#beat(session, nowMs, false, figures);
    }
  }

  #beat(session: Session, nowMs: number, isAsking: boolean, figures = figuresOf(this.#fleet, nowMs)): void {
    session.told = figures;
    session.toldMs = nowMs;
    if (isAsking) session.askedMs = nowMs;
    const beat = beatOf(figures, session, nowMs, isAsking);
    session.tell({ kind: 'neighbour-figures', ...this.#from, beat });
  }
}

function beatOf(figures: HostFigures, session: Session | undefined, nowMs: number, isAsking: boolean): Beat {
  const { stampMs: heardMs = null, seen = 0, taken = 0 } = session ?? {};
  return { figures, stampMs: nowMs, heardMs, seen, taken, isAsking };
}

function tell(ref: Extract<NeighbourMessage, { kind: 'neighbour-up' }>['ref'], message: NeighbourMessage): void {
  try {
    ref.tell(message);
  } catch {
    // An end with a text that the server takes no more.
  }
}
