import { MessageChannel } from 'node:worker_threads';
import { type ActorSystem, addresseeOf, type ExitReason, type Ref, takesOffers } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import { RemoteRef } from '../refs/mod.ts';
import { decode, encode, idsIn, type RefTable } from './message-codec.ts';
import { PairTally, pairBuffer, type Side } from './pair-tally.ts';
import type { Placement } from './placement.ts';
import type { PortChannel } from './port-channel.ts';
import type { Tally } from './tally.ts';
import { inContextOf } from './trace-context.ts';
import type { LinkOp, Relayed } from './wire.ts';

/** A thread of a shard, as the main thread knows it. */
export interface Line {
  readonly thread: number;
  /** In errors and dead letters. */
  readonly name: string;
  readonly channel: PortChannel;
  readonly tally: Tally;
}

/** Two threads with a direct channel between them. It ends when both have no more to do with it. */
interface Pair {
  readonly lines: readonly [Line, Line];
  readonly tallies: readonly [PairTally, PairTally];
  readonly over: Set<Line>;
}

/** Where the actor of a proxy runs. */
interface Home {
  readonly line: Line;
  readonly placement: Placement;
}

/** A ref that a shard knows under a number. */
interface Exported {
  readonly at: Line;
  readonly ref: Ref<never>;
  readonly id: number;
  /** Set while the shard is to be told of the end of the actor, to which it may have a way. */
  cancel: (() => void) | undefined;
}

/** How often we look whether all messages to an actor are on their way. */
const LOOKS_MAX = 5;

/**
 * Gives two shards a channel of their own as soon as one of them has a ref of an actor on the other, and translates the
 * refs in messages between them. After the end of a shard it knows what was lost between the two.
 */
export class Switchboard {
  readonly #system: ActorSystem;
  readonly #lines = new Map<number, Line>();
  readonly #pairs = new Map<string, Pair>();
  /** Where the actor of a proxy runs. */
  readonly #homes = new Map<Ref<never>, Home>();
  /** Refs that a thread has been told of, now or before. */
  readonly #known = new Map<number, WeakSet<Ref<never>>>();
  /** The actors of this thread that shards know. */
  readonly #exported = new Map<Ref<never>, Set<Exported>>();
  #lastThread = 0;

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  /** The number of a new thread. */
  nextThread(): number {
    this.#lastThread += 1;
    return this.#lastThread;
  }

  /** A thread is there. */
  add(line: Line): void {
    this.#lines.set(line.thread, line);
    // The options of shards may have refs of actors that run.
    for (const all of this.#exported.values()) {
      for (const exported of all) {
        if (exported.at === line && this.#homeFor(exported)) line.channel.link({ op: 'may-route', id: exported.id });
      }
    }
  }

  /** An actor runs. */
  started(placement: Placement, line: Line): void {
    this.#homes.set(placement.proxy, { line, placement });
    // Those that were told of it before may have sent it messages, which went through here.
    for (const { at, id } of this.#exported.get(placement.proxy) ?? []) {
      if (at !== line) at.channel.link({ op: 'may-route', id });
    }
  }

  ended(placement: Placement): void {
    if (this.#homes.get(placement.proxy)?.placement === placement) this.#homes.delete(placement.proxy);
  }

  /**
   * A shard is about to be told of a ref. If that is of an actor on another shard, it is told the way there first, so
   * that all messages to it go the same way.
   * @returns what is to be called when the shard has forgotten the ref
   */
  exported(at: Line, ref: Ref<never>, id: number): (() => void) | undefined {
    // Proxies are actors of this thread.
    if (ref instanceof RemoteRef || !takesOffers(ref)) return undefined;
    const exported: Exported = { at, ref, id, cancel: undefined };
    const all = this.#exported.get(ref) ?? new Set();
    this.#exported.set(ref, all.add(exported));
    if (this.#isKnown(at, ref)) {
      if (this.#homeFor(exported) !== undefined) at.channel.link({ op: 'may-route', id });
    } else this.#route(exported, undefined);
    return () => this.#forgotten(exported);
  }

  #forgotten(exported: Exported): void {
    const { at, ref, id, cancel } = exported;
    const all = this.#exported.get(ref);
    all?.delete(exported);
    if (all?.size === 0) this.#exported.delete(ref);
    cancel?.();
    at.channel.link({ op: 'unroute', id, exit: undefined });
  }

  /** Where the actor is that a shard knows, if that is another shard. */
  #homeFor({ at, ref }: Exported): Home | undefined {
    const home = this.#homes.get(ref);
    if (home === undefined || home.line === at || !home.placement.isRunning) return undefined;
    return this.#lines.has(at.thread) && this.#lines.has(home.line.thread) ? home : undefined;
  }

  /** @param ask the question that is answered; undefined if the shard has sent nothing to the actor yet */
  #route(exported: Exported, ask: number | undefined): boolean {
    const { at, ref, id } = exported;
    const home = this.#homeFor(exported);
    if (home === undefined) return false;
    const { line, placement } = home;
    this.#open(at, line);
    // What went through here before the question comes first.
    const n = ask === undefined ? undefined : line.channel.mark();
    at.channel.link({ op: 'route', id, thread: line.thread, actor: placement.actor, n, ask });
    exported.cancel ??= addresseeOf(ref).onEnd((exit) => {
      exported.cancel = undefined;
      at.channel.link({ op: 'unroute', id, exit });
    });
    return true;
  }

  /** The messages that were sent before the question are here. They must have been passed on too. */
  #askRoute(at: Line, id: number, ask: number, looks: number): void {
    const exported = this.#exportedAs(at, id);
    const home = exported === undefined ? undefined : this.#homeFor(exported);
    if (exported === undefined || home === undefined || looks > LOOKS_MAX) {
      at.channel.link({ op: 'no-route', id, ask });
      return;
    }
    const isIdle = addresseeOf(exported.ref).depth === 0 && home.placement.isIdle;
    if (isIdle) this.#route(exported, ask);
    else this.#system.clock.soon(() => this.#askRoute(at, id, ask, looks + 1));
  }

  #exportedAs(at: Line, id: number): Exported | undefined {
    const ref = at.channel.exportedAs(id);
    if (ref === undefined) return undefined;
    for (const exported of this.#exported.get(ref) ?? []) if (exported.at === at) return exported;
    return undefined;
  }

  obey(from: Line, op: LinkOp): void {
    // The others are for shards.
    if (op.op === 'relay') this.#relay(from, op);
    else if (op.op === 'ask-route') this.#askRoute(from, op.id, op.ask, 0);
  }

  /** What `from` has sent to other shards so far, up to these marks, comes before all that they are sent from now on. */
  said(from: Line, marks: readonly (readonly [thread: number, n: number])[]): void {
    for (const [thread, n] of marks) this.#lines.get(thread)?.channel.after(from.thread, n);
  }

  /** A thread is gone, and all that it has sent here has been received. */
  gone(line: Line, reason: ExitReason): void {
    this.#lines.delete(line.thread);
    this.#known.delete(line.thread);
    for (const [key, { lines }] of [...this.#pairs]) {
      const other = lines.find((one) => one !== line);
      if (other === undefined || !lines.includes(line)) continue;
      other.channel.link({ op: 'peer-gone', thread: line.thread, reason });
      this.#over(key, line);
    }
  }

  /** A shard has received all from another one that is gone. */
  closed(by: Line, thread: number): void {
    this.#over(keyOf(by.thread, thread), by);
  }

  /** From now on it is. */
  #isKnown(at: Line, ref: Ref<never>): boolean {
    const known = this.#known.get(at.thread) ?? new WeakSet();
    this.#known.set(at.thread, known);
    const isKnown = known.has(ref);
    known.add(ref);
    return isKnown;
  }

  #open(one: Line, other: Line): void {
    const key = keyOf(one.thread, other.thread);
    if (this.#pairs.has(key)) return;
    const tally = pairBuffer();
    const { port1, port2 } = new MessageChannel();
    const introduce = (to: Line, peer: Line, port: typeof port1, side: Side): void => {
      to.channel.link({ op: 'peer', thread: peer.thread, name: peer.name, port, side, tally }, [port]);
    };
    introduce(one, other, port1, 0);
    introduce(other, one, port2, 1);
    this.#pairs.set(key, {
      lines: [one, other],
      tallies: [new PairTally(tally, 0, one.tally), new PairTally(tally, 1, other.tally)],
      over: new Set(),
    });
  }

  #relay(from: Line, op: Relayed): void {
    const { tracing } = this.#system;
    const pass = (): void => {
      const message = decode(op.message, op.extras, passingDirect(from.channel));
      const to = this.#lines.get(op.thread);
      // It is counted as lost with the thread.
      if (to !== undefined) to.channel.link({ op: 'relayed', ...translated(message, op, to), thread: from.thread });
    };
    if (tracing === undefined) pass();
    else inContextOf(op.extras, tracing, pass);
  }

  #over(key: string, line: Line): void {
    const pair = this.#pairs.get(key);
    if (pair === undefined) return;
    pair.over.add(line);
    if (pair.over.size < pair.lines.length) return;
    this.#pairs.delete(key);
    const { lines, tallies } = pair;
    this.#tellLost(lines[0], lines[1], tallies[0].told - tallies[1].received);
    this.#tellLost(lines[1], lines[0], tallies[1].told - tallies[0].received);
  }

  /** Only the number is known. */
  #tellLost(from: Line, to: Line, count: number): void {
    if (count <= 0) return;
    const message = `${count} messages that were lost between ${from.name} and ${to.name}`;
    const counted = count === 1 ? {} : { count };
    this.#system.deadLetters.add({ from: from.name, to: to.name, message, why: 'lost', ...counted });
  }
}

function keyOf(one: number, other: number): string {
  return `${Math.min(one, other)}-${Math.max(one, other)}`;
}

function translated(message: unknown, op: Relayed, to: Line): Relayed {
  const { thread, n, waits } = op;
  const at = { thread, n, to: op.to, waits };
  if (op.failed !== undefined) return { ...at, message: undefined, extras: undefined, failed: op.failed };
  try {
    return { ...at, ...encode(message, passingDirect(to.channel)), failed: undefined };
  } catch (error) {
    const failed = { why: toEnvelope(error).message, replies: idsIn('direct-reply', op.extras) };
    return { ...at, message: undefined, extras: undefined, failed };
  }
}

/** The ref of a reply that goes over the direct channel, while the request passes through here. */
class DirectReply implements Ref<unknown> {
  readonly path = '?';
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  /** Nobody here sends to it. */
  tell(): boolean {
    return false;
  }
}

/** The refs of a relayed message. */
function passingDirect(channel: RefTable): RefTable {
  return {
    tracing: channel.tracing,
    addressOf: (ref) => (ref instanceof DirectReply ? ['direct-reply', ref.id] : channel.addressOf(ref)),
    refOf: (address) => (address[0] === 'direct-reply' ? new DirectReply(address[1]) : channel.refOf(address)),
  };
}
