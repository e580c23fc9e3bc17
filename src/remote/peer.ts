import type { ActorSystem, ExitReason, Ref } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import type { Data, Frame } from './frame.ts';
import { Link } from './link.ts';
import type { OutboxLimits } from './outbox.ts';

/** What a host tells of another. */
interface PeerContext {
  readonly system: ActorSystem;
  /** This host's. */
  readonly incarnation: string;
  readonly limits: OutboxLimits;
  /** Silence after which a host is lost. */
  readonly lostMs: number;
  readonly payloadBytesMax: () => number;
  readonly exposed: (name: string) => Ref<never> | undefined;
  /** @returns whether there was a connection to send it over */
  readonly send: (to: string, frame: Frame) => boolean;
  readonly onUp: (peer: Peer) => void;
  readonly onLost: (peer: Peer, error: ShoalError) => void;
  readonly onDamaged: () => void;
}

interface PeerIdentity {
  readonly host: string;
  readonly incarnation: string;
  /** What errors call it. */
  readonly about: string;
}

/** What is sent between two hosts alone. */
export type PairFrame = Extract<Frame, { kind: 'hello' | 'welcome' | 'lost' | 'data' }>;

/**
 * - `silent`: nothing is heard of it
 * - `calling`: it is heard, and asked for a link
 * - `waiting`: it is heard, and is to ask for one
 * - `answering`: it has asked, and has not shown yet that it heard the answer
 * - `up`: each has heard the other
 */
type State = 'silent' | 'calling' | 'waiting' | 'answering' | 'up';

/** Why a link is lost that the other host gave up: that host lives. */
export const GIVEN_UP = 'it counted this host as lost';

/** A host that beats and takes nothing for so many times `lostMs` is lost too. */
const STALLED_LIMIT = 3;

/**
 * Another host of the group, in one incarnation, and the link to it. Of two hosts the one with the lower incarnation
 * calls: it alone chooses the epochs of their links, each above all before.
 */
export class Peer {
  readonly host: string;
  readonly incarnation: string;
  readonly about: string;
  readonly #context: PeerContext;
  readonly #isCaller: boolean;
  #state: State = 'silent';
  /** Of the link, or of the one that is being made; the last one while there is neither. */
  #epoch = 0;
  #link: Link | undefined;
  /** How much of the last link was taken here. */
  #lastTaken = -1;
  /** The other end may take itself for linked: it is told of the loss again and again until it is heard. */
  #isLossDue = false;
  #silentMs = 0;
  #stalledMs = 0;
  #stalledSeq = -1;

  constructor({ host, incarnation, about }: PeerIdentity, context: PeerContext) {
    this.host = host;
    this.incarnation = incarnation;
    this.about = about;
    this.#context = context;
    this.#isCaller = context.incarnation < incarnation;
  }

  /** Undefined unless it is up. */
  get link(): Link | undefined {
    return this.#link;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Whether it has been heard of lately, and so has its name. */
  get isAlive(): boolean {
    return this.#state !== 'silent';
  }

  /** For how long nothing was heard of it. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** It gave a sign of life. */
  heard(): void {
    this.#silentMs = 0;
    if (this.#state === 'silent') this.#begin();
  }

  /** So much time has passed in which this host could have heard it. */
  tick(ms: number): void {
    this.#silentMs += ms;
    if (this.#state === 'silent') {
      if (this.#isLossDue) this.#sendLost(this.#epoch);
      return;
    }
    if (this.#silentMs >= this.#context.lostMs) {
      this.lose(`nothing was heard of it for ${Math.round(this.#silentMs)} ms`);
      return;
    }
    if (this.#isStalled(ms)) this.lose(`it is there but has taken nothing for ${Math.round(this.#stalledMs)} ms`);
    else this.#repeat();
  }

  /** This host counts it as lost: the link is closed for good, and the other end is told. */
  lose(why: string): void {
    const isLinked = this.#link !== undefined || this.#state === 'answering';
    this.#close(why, -1);
    this.#state = 'silent';
    this.#isLossDue ||= isLinked;
    if (this.#isLossDue) this.#sendLost(this.#epoch);
  }

  receive(frame: PairFrame): void {
    switch (frame.kind) {
      case 'hello':
        this.#answer(frame.epoch);
        return;
      case 'welcome':
        if (frame.epoch !== this.#epoch || !this.#isCaller) return;
        if (this.#state === 'calling') this.#open();
        // The answer shows that it was heard.
        this.#link?.stream.acknowledge();
        return;
      case 'lost':
        this.#onLost(frame.epoch, frame.taken);
        return;
      case 'data':
        this.#take(frame);
        return;
    }
  }

  #onLost(epoch: number, taken: number): void {
    if (this.#state === 'silent' || this.#state === 'waiting') return;
    if (epoch !== this.#epoch) {
      // It may have forgotten this host in a long silence. Whatever it knows of this link, it says when it sees a frame.
      this.#link?.stream.acknowledge();
      return;
    }
    // Also of a link that was asked for and not made: it was answered, and the answer did not arrive.
    this.#close(GIVEN_UP, taken);
    this.#begin();
  }

  #begin(): void {
    this.#isLossDue = false;
    this.#state = this.#isCaller ? 'calling' : 'waiting';
    // The clock never goes back, so an epoch is above all before it even if those are forgotten.
    if (this.#isCaller) this.#next(Math.max(this.#epoch + 1, Math.floor(this.#context.system.clock.monotonic())));
    this.#repeat();
  }

  get #named(): string {
    return this.about === '' ? this.host : `${this.host} (${this.about})`;
  }

  #next(epoch: number): void {
    this.#epoch = epoch;
    this.#lastTaken = -1;
  }

  /** Says again what the other end has not shown to have heard. */
  #repeat(): void {
    const { incarnation: from } = this.#context;
    if (this.#state === 'calling') this.#send({ kind: 'hello', from, epoch: this.#epoch });
    if (this.#state === 'answering') this.#send({ kind: 'welcome', from, epoch: this.#epoch });
    if (this.#state === 'waiting') this.#sendLost(this.#epoch);
  }

  #answer(epoch: number): void {
    if (this.#isCaller || epoch < this.#epoch) return;
    if (epoch === this.#epoch) {
      // The answer was lost.
      if (this.#state === 'answering') this.#repeat();
      return;
    }
    this.#close(GIVEN_UP, -1);
    this.#silentMs = 0;
    this.#next(epoch);
    this.#state = 'answering';
    this.#repeat();
  }

  #take(frame: Data): void {
    const isOurs = frame.epoch === this.#epoch && this.#state !== 'silent' && this.#state !== 'waiting';
    if (!isOurs) {
      this.#sendLost(frame.epoch);
      return;
    }
    if (this.#link === undefined) this.#open();
    this.#link?.receive(frame);
  }

  #open(): void {
    const { system, limits, payloadBytesMax, exposed, onDamaged, incarnation: from } = this.#context;
    const epoch = this.#epoch;
    this.#state = 'up';
    this.#stalledMs = 0;
    this.#link = new Link({
      system,
      host: this.host,
      limits,
      payloadBytesMax,
      exposed,
      onDamaged,
      send: (frame) => this.#send({ kind: 'data', from, epoch, ...frame }),
    });
    this.#context.onUp(this);
  }

  #close(why: string, taken: number): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#lastTaken = link.stream.taken;
    const { host, incarnation } = this;
    const epoch = this.#epoch;
    const error = new ShoalError('HOST_LOST', `Host ${this.#named} is lost: ${why}`, {
      details: { host, incarnation, epoch, why },
    });
    const reason: ExitReason = { kind: 'error', error: toEnvelope(error), lossId: `${host} ${incarnation} ${epoch}` };
    link.close(reason, taken);
    this.#context.onLost(this, error);
  }

  /** What is on its way to it moves no more. */
  #isStalled(ms: number): boolean {
    const first = this.#link?.stream.outbox.onTheWay[0]?.seq;
    this.#stalledMs = first !== undefined && first === this.#stalledSeq ? this.#stalledMs + ms : 0;
    this.#stalledSeq = first ?? -1;
    return this.#stalledMs >= STALLED_LIMIT * this.#context.lostMs;
  }

  #sendLost(epoch: number): void {
    const taken = epoch === this.#epoch ? this.#lastTaken : -1;
    this.#send({ kind: 'lost', from: this.#context.incarnation, epoch, taken });
  }

  #send(frame: Frame): boolean {
    return this.#context.send(this.incarnation, frame);
  }
}
