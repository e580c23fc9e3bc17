import { LinkedList } from '../../actors/mod.ts';
import type { HandOnFor, HostFigures } from '../values/neighbour.ts';
import type { OpenRequest } from './open-request.ts';

const UNKNOWN: HostFigures = {
  free: 0,
  room: 0,
  starting: 0,
  shortestQueue: null,
  waiting: 0,
  cordoned: true,
  idempotent: false,
};

/** Another host, as far as this one knows it: by what it told of itself, and by what was handed to it since. */
export class NeighbourRecord {
  readonly name: string;
  /** Drawn by its router at the start: it tells a restart of the router from a return. */
  readonly session: string;
  readonly requests = new LinkedList<OpenRequest>();
  figures: HostFigures = UNKNOWN;
  /** Monotonic milliseconds. */
  heardMs: number;
  /** How often it has told its figures. */
  tellings = 0;
  /** When the link to it was lost; undefined while it is there. What it has is decided on a little later. */
  lostMs: number | undefined;
  lostWhy = '';
  /** It has given this host up, and so it lives, and will be back in a moment. */
  isThere = false;
  /** Requests that were handed to it, and that it refused. */
  handedOn = 0;
  handedBack = 0;
  /** Frames of the requests that it had not seen when it last told its figures, in order. */
  readonly #unseen: number[] = [];

  constructor(name: string, session: string, nowMs: number) {
    this.name = name;
    this.session = session;
    this.heardMs = nowMs;
  }

  get takesNone(): boolean {
    return this.lostMs !== undefined || this.figures.cordoned;
  }

  /** Requests that its free VMs would still take. */
  get free(): number {
    return this.takesNone ? 0 : Math.max(0, this.figures.free - this.#unseen.length);
  }

  /** VMs that it could still start, each for so many requests. */
  roomFor(requestsPerVm: number): number {
    if (this.takesNone) return 0;
    const beyondFree = Math.max(0, this.#unseen.length - this.figures.free);
    return Math.max(0, this.figures.room - Math.ceil(beyondFree / requestsPerVm));
  }

  /** Undefined if none of its VMs takes more. */
  get shortestQueue(): number | undefined {
    if (this.takesNone || this.figures.shortestQueue === null) return undefined;
    return this.figures.shortestQueue + this.#unseen.length;
  }

  /** How good it is for what a request is handed on for: more is better; undefined if it has none of it. */
  worthFor(what: HandOnFor, requestsPerVm: number): number | undefined {
    if (what === 'queue') return this.shortestQueue === undefined ? undefined : -this.shortestQueue;
    const worth = what === 'free' ? this.free : this.roomFor(requestsPerVm);
    return worth > 0 ? worth : undefined;
  }

  /** A request was handed to it under that number. */
  handed(frame: number): void {
    this.handedOn += 1;
    this.#unseen.push(frame);
  }

  /** @param seen the last request of this host that it had seen when it told */
  told(figures: HostFigures, seen: number, nowMs: number): void {
    this.figures = figures;
    this.heardMs = nowMs;
    this.tellings += 1;
    const unseen = this.#unseen.findIndex((frame) => frame > seen);
    this.#unseen.splice(0, unseen === -1 ? this.#unseen.length : unseen);
  }
}

export type Neighbour = Readonly<Omit<NeighbourRecord, 'handed' | 'told'>>;
