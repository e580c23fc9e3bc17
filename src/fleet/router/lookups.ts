import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import { fingerprintOf, type Knowledge } from '../state/reply-cache.ts';
import type { From, NeighbourMessage } from './neighbour-messages.ts';

/** One heartbeat: who has not answered by then is not waited for. */
const LIMIT_MS = 1_000;

/** A host that has the request, or its reply, comes before one that has handed it on. */
const WORTH: Readonly<Record<Knowledge, number>> = { nothing: 0, elsewhere: 1, here: 2, ended: 3 };

interface Lookup {
  readonly request: OpenRequest;
  readonly left: Set<string>;
  readonly untilMs: number;
  best: { readonly host: string; readonly knows: Knowledge } | undefined;
}

type Tell = (host: string, message: NeighbourMessage) => boolean;

/** R11: repeats whose ids other hosts may know. Repeats are rare, so these are asked all round. */
export class Lookups {
  readonly #fleet: Fleet;
  readonly #from: From;
  readonly #tell: Tell;
  /** @param host the one that knows it; undefined: none does */
  readonly #onKnown: (request: OpenRequest, host: string | undefined) => void;
  readonly #open = new Map<number, Lookup>();

  constructor(fleet: Fleet, from: From, tell: Tell, onKnown: (request: OpenRequest, host: string | undefined) => void) {
    this.#fleet = fleet;
    this.#from = from;
    this.#tell = tell;
    this.#onKnown = onKnown;
  }

  /** @returns false if there is nobody to ask */
  ask(request: OpenRequest, host: string | undefined, nowMs: number): boolean {
    const { requestId, op, payload } = request.request;
    const id = this.#fleet.requests.nextFrame();
    const find = { requestId, op, payloadBytes: payload.length, fingerprint: fingerprintOf(payload) };
    const all = [...this.#fleet.neighbours.all].map(({ name }) => name);
    const asked = all.filter((name) => host === undefined || name === host);
    const left = new Set(asked.filter((name) => this.#tell(name, { kind: 'find', ...this.#from, id, request: find })));
    if (left.size === 0) return false;
    this.#fleet.apply({ kind: 'request-asks', request });
    this.#open.set(id, { request, left, untilMs: nowMs + LIMIT_MS, best: undefined });
    return true;
  }

  found(id: number, host: string, knows: Knowledge): void {
    const lookup = this.#open.get(id);
    if (lookup?.left.delete(host) !== true) return;
    if (WORTH[knows] > WORTH[lookup.best?.knows ?? 'nothing']) lookup.best = { host, knows };
    if (lookup.left.size === 0 || knows === 'ended') this.#close(id, lookup);
  }

  /** The host answers no more. */
  lost(host: string): void {
    for (const id of [...this.#open.keys()]) this.found(id, host, 'nothing');
  }

  expire(nowMs: number): void {
    for (const [id, lookup] of [...this.#open]) if (lookup.untilMs <= nowMs) this.#close(id, lookup);
  }

  #close(id: number, { request, best }: Lookup): void {
    this.#open.delete(id);
    // Its deadline has passed, or the router has refused it.
    if (request.place === undefined) return;
    this.#onKnown(request, best?.host);
  }
}
