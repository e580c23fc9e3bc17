import type { HandOnFor } from '../values/neighbour.ts';
import { type Neighbour, NeighbourRecord } from './neighbour.ts';
import type { Refusal } from './open-request.ts';

/** A step of a generator of numbers (Numerical Recipes): which two of many hosts are compared need not be drawn by chance, only spread. */
const FACTOR = 1_664_525;
const STEP = 1_013_904_223;

/** The other hosts of the fleet. A host without any pays nothing for them. */
export class Neighbours {
  readonly #byName = new Map<string, NeighbourRecord>();
  /** Lost, and what they had is not decided on yet. */
  readonly #lost = new Set<NeighbourRecord>();
  /** Those that have what a request can be handed on for. */
  readonly #having: Readonly<Record<HandOnFor, NeighbourRecord[]>> = { free: [], room: [], queue: [] };
  #turn: number;
  #perVm = 1;

  /** @param seed another one on each host, so that not all choose the same two */
  constructor(seed: string) {
    this.#turn = [...seed].reduce((sum, letter) => next(sum ^ letter.charCodeAt(0)), 1);
  }

  /** Those that are there. */
  get size(): number {
    return this.#byName.size;
  }

  get all(): Iterable<Neighbour> {
    return this.#byName.values();
  }

  get lost(): Iterable<Neighbour> {
    return this.#lost;
  }

  get lostCount(): number {
    return this.#lost.size;
  }

  get(name: string): Neighbour | undefined {
    return this.#byName.get(name);
  }

  /** Whether any host has it. */
  have(what: HandOnFor): boolean {
    return this.#having[what].length > 0;
  }

  /** Of two hosts that have it the better one; undefined if none has it. @param refusedBy those that are not asked again */
  better(what: HandOnFor, refusedBy: readonly Refusal[]): Neighbour | undefined {
    const list = this.#having[what];
    const first = pick(list, this.#turn, refusedBy);
    const second = pick(list, next(this.#turn), refusedBy, first);
    if (first === undefined || second === undefined) return first ?? second;
    const worthOf = (one: Neighbour): number => one.worthFor(what, this.#perVm) ?? Number.NEGATIVE_INFINITY;
    return worthOf(second) > worthOf(first) ? second : first;
  }

  up(name: string, session: string, nowMs: number, requestsPerVm: number): boolean {
    this.#perVm = requestsPerVm;
    if (this.#byName.has(name)) return false;
    const back = [...this.#lost].find((one) => one.name === name && one.session === session);
    const record = back ?? new NeighbourRecord(name, session, nowMs);
    this.#lost.delete(record);
    record.lostMs = undefined;
    record.heardMs = nowMs;
    this.#byName.set(name, record);
    this.#sort(record);
    return true;
  }

  told(name: string, figures: Neighbour['figures'], seen: number, nowMs: number, requestsPerVm: number): boolean {
    const record = this.#byName.get(name);
    if (record === undefined) return false;
    this.#perVm = requestsPerVm;
    record.told(figures, seen, nowMs);
    this.#sort(record);
    return true;
  }

  /** It takes nothing from now on. What it has stays with it until `forget`. */
  lose(name: string, why: string, isThere: boolean, nowMs: number): boolean {
    const record = this.#byName.get(name);
    if (record === undefined) return false;
    this.#byName.delete(name);
    record.lostMs = nowMs;
    record.lostWhy = why;
    record.isThere = isThere;
    this.#lost.add(record);
    this.#sort(record);
    return true;
  }

  forget(neighbour: Neighbour): boolean {
    for (const record of this.#lost) if (record === neighbour) return this.#lost.delete(record);
    return false;
  }

  handed(name: string, frame: number): NeighbourRecord | undefined {
    const record = this.#byName.get(name);
    if (record === undefined) return undefined;
    this.#turn = next(this.#turn);
    record.handed(frame);
    this.#sort(record);
    return record;
  }

  /** It has refused a request. */
  refused(name: string): void {
    const record = this.#byName.get(name);
    if (record !== undefined) record.handedBack += 1;
  }

  #sort(record: NeighbourRecord): void {
    for (const what of ['free', 'room', 'queue'] as const) {
      const list = this.#having[what];
      const at = list.indexOf(record);
      const isThere = record.worthFor(what, this.#perVm) !== undefined;
      if (isThere && at === -1) list.push(record);
      else if (!isThere && at !== -1) {
        const last = list.pop();
        if (last !== undefined && last !== record) list[at] = last;
      }
    }
  }
}

function next(turn: number): number {
  return (Math.imul(turn, FACTOR) + STEP) >>> 0;
}

/** From the place that the turn names, the first that may be asked: so many are looked at as have refused, and two more. */
function pick(
  list: readonly NeighbourRecord[],
  turn: number,
  refusedBy: readonly Refusal[],
  but?: NeighbourRecord,
): NeighbourRecord | undefined {
  // The low bits of such numbers repeat.
  const from = turn >>> 8;
  const looks = Math.min(list.length, refusedBy.length + 2);
  for (let look = 0; look < looks; look++) {
    const one = list[(from + look) % list.length];
    if (one !== undefined && one !== but && !hasRefused(one, refusedBy)) return one;
  }
  return undefined;
}

function hasRefused({ name, tellings }: NeighbourRecord, refusedBy: readonly Refusal[]): boolean {
  return refusedBy.some((one) => one.host === name && one.tellings === tellings);
}
