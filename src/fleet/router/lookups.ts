import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import { fingerprintOf, type Knowledge } from '../state/reply-cache.ts';
import type { From, NeighbourMessage } from './neighbour-messages.ts';

/** One heartbeat: who has not answered by then is not waited for. */
const LIMIT_MS = 1_000;

/** A host that has the request, or its reply, comes before one that has handed it on. */
const WORTH: Readonly<Record<Knowledge, number>> = { nothing: 0, asking: 1, elsewhere: 2, here: 3, ended: 4 };

interface Lookup {
  readonly request: OpenRequest;
  readonly left: Set<string>;
  readonly untilMs: number;
  best: { readonly host: string; readonly knows: Knowledge } | undefined;
}

/** @param host the one that knows it; undefined: none does. @param isAsking it asks about it, too */
type OnKnown = (request: OpenRequest, host: string | undefined, isAsking: boolean) => void;

type Tell = (host: string, message: NeighbourMessage) => boolean;

/** R11: repeats whose ids other hosts may know. Repeats are rare, so these are asked all round. */
export class Lookups {
  readonly #fleet: Fleet;
  readonly #from: From;
  readonly #tell: Tell;
  readonly #onKnown: OnKnown;
  readonly #open = new Map<number, Lookup>();

  constructor(fleet: Fleet, from: From, tell: Tell, onKnown: OnKnown) {
    this.#fleet = fleet;
    this.#from = from;
    this.#tell = tell;
    this.#onKnown = onKnown;
  }

  /** @returns false if there is nobody to ask */
  ask(request: OpenRequest, host: string | undefined, nowMs: number): boolean {
    const { requestId, op, payload, contentType } = request.request;
    const id = this.#fleet.requests.nextFrame();
    const find = { requestId, op, payloadBytes: payload.length, fingerprint: fingerprintOf(payload, contentType) };
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
    this.#note(lookup, host, knows);
    if (lookup.left.size === 0 || knows === 'ended') this.#close(id, lookup);
  }

  /** That host asks about the same id: it got the same repeat. */
  asksToo(requestId: string, host: string): void {
    for (const lookup of this.#open.values()) {
      if (lookup.request.request.requestId === requestId) this.#note(lookup, host, 'asking');
    }
  }

  /** The host answers no more. */
  lost(host: string): void {
    for (const id of [...this.#open.keys()]) this.found(id, host, 'nothing');
  }

  expire(nowMs: number): void {
    for (const [id, lookup] of [...this.#open]) if (lookup.untilMs <= nowMs) this.#close(id, lookup);
  }

  /** Of hosts that ask about the same id at the same time, the one with the lowest name does the work, and the others wait for it. */
  #note(lookup: Lookup, host: string, knows: Knowledge): void {
    const { best } = lookup;
    if (knows === 'asking' && host > this.#from.host) return;
    const isLower = knows === 'asking' && best?.knows === 'asking' && host < best.host;
    if (isLower || WORTH[knows] > WORTH[best?.knows ?? 'nothing']) lookup.best = { host, knows };
  }

  #close(id: number, { request, best }: Lookup): void {
    this.#open.delete(id);
    // Its deadline has passed, or the router has refused it.
    if (request.place === undefined) return;
    this.#onKnown(request, best?.host, best?.knows === 'asking');
  }
}
