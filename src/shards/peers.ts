import type { MessagePort } from 'node:worker_threads';
import { type ActorSystem, goingWith, type Ref, ReplyRef } from '../actors/mod.ts';
import { messageOf, ShoalError } from '../errors.ts';
import { Waiters } from '../refs/mod.ts';
import { decode, encode, type RefTable } from './message-codec.ts';
import { PairTally } from './pair-tally.ts';
import { PortChannel } from './port-channel.ts';
import type { Tally } from './tally.ts';
import type { LinkOp, Op, Relayed } from './wire.ts';

interface PeersOptions {
  readonly system: ActorSystem;
  readonly tally: Tally;
  readonly main: PortChannel;
  /** The actor that is placed here under a number. */
  readonly placed: (id: number) => Ref<never> | undefined;
  readonly onDefect: (path: string, error: unknown) => void;
  /** All that another shard had sent before its end has come, and the channel to it is closed. */
  readonly onClosed: (thread: number) => void;
}

/** Another shard, and the direct channel to it. */
interface Peer {
  readonly channel: PortChannel;
  /** Refs to actors placed there, by the number of the actor: a full mailbox there makes their offers wait. */
  readonly refs: Map<number, number>;
  /** Messages that came through the main thread and were not delivered yet, by their number. */
  readonly relayed: Map<number, Relayed>;
  readonly arrivals: Waiters;
  isGone: boolean;
}

/** The direct channels of a shard to other shards. The main thread makes them, and says which refs they are for. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<number, Peer>();
  /** The thread and the actor there that messages to a ref go to, by the id of the ref. */
  readonly #routes = new Map<number, { readonly thread: number; readonly actor: number }>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  get counts(): { readonly sent: number; readonly received: number } {
    let [sent, received] = [0, 0];
    for (const { channel } of this.#peers.values()) {
      sent += channel.counts.sent;
      received += channel.counts.received;
    }
    return { sent, received };
  }

  get hasRoom(): boolean {
    for (const { channel } of this.#peers.values()) if (!channel.hasRoom) return false;
    return true;
  }

  /** Calls back when there is room on a channel that had none. @returns how to cancel it */
  onRoom(callback: () => void): () => void {
    const full = [...this.#peers.values()].filter(({ channel }) => !channel.hasRoom);
    const cancels = full.map(({ channel }) => channel.onRoom(callback));
    return () => {
      for (const cancel of cancels) cancel();
    };
  }

  flush(): void {
    for (const { channel } of this.#peers.values()) channel.flush();
  }

  /** Marks the place of all that was sent so far. @returns the number of each mark, by the thread; none of a thread that has been sent nothing since */
  mark(): readonly (readonly [thread: number, n: number])[] {
    const marks: (readonly [number, number])[] = [];
    for (const [thread, { channel }] of this.#peers) {
      if (!channel.isMarked) marks.push([thread, channel.mark()]);
    }
    return marks;
  }

  /** What a message of the main thread waits for. */
  waitFor(op: Op): Promise<void> | undefined {
    if (op.op !== 'after' || op.thread === 'main') return undefined;
    return this.#peers.get(op.thread)?.channel.reached(op.n);
  }

  /** What the main thread says. */
  obey(op: LinkOp): void {
    switch (op.op) {
      case 'peer':
        this.#open(op);
        return;
      case 'peer-gone':
        this.#close(op);
        return;
      case 'route':
        this.#route(op);
        return;
      case 'unroute':
        this.#unroute(op.id);
        this.#options.main.routes.unroute(op.id, op.exit);
        return;
      case 'may-route':
        this.#options.main.routes.mayRoute(op.id);
        return;
      case 'no-route':
        this.#options.main.routes.route(op.id, undefined, op.ask);
        return;
      case 'relayed':
        this.#arrived(op);
        return;
      case 'here':
      case 'relay':
      case 'ask-route':
        // Between shards, and for the main thread.
        return;
    }
  }

  #open({ thread, name, port, side, tally }: LinkOp & { readonly op: 'peer' }): void {
    let relayed = 0;
    const channel = new PortChannel({
      port: port satisfies MessagePort,
      system: this.#options.system,
      peer: name,
      tally: new PairTally(tally, side, this.#options.tally),
      placed: this.#options.placed,
      placedIdOf: () => undefined,
      onEvent: () => undefined,
      onDefect: this.#options.onDefect,
      waitFor: (op) => this.#waitFor(peer, op),
      onLink: (op) => {
        if (op.op === 'here') this.#deliver(peer, op.n);
      },
      onRoom: (actor, hasRoom) => {
        const id = peer.refs.get(actor);
        if (id !== undefined) this.#options.main.routes.onRoom(id, hasRoom);
      },
      relay: (to, message, waits) => {
        this.#relay({ thread, n: relayed + 1, to, waits }, message, channel);
        relayed += 1;
        return { op: 'here', n: relayed };
      },
    });
    const peer: Peer = { channel, refs: new Map(), relayed: new Map(), arrivals: new Waiters(), isGone: false };
    this.#peers.set(thread, peer);
  }

  /** The main thread knows all refs that this one holds, and gives the message to the other shard with its own. */
  #relay(at: Pick<Relayed, 'thread' | 'n' | 'to' | 'waits'>, message: unknown, direct: RefTable): void {
    const { main } = this.#options;
    const going = goingWith(message);
    const encoded = encode(message, withDirect(main, direct), going);
    try {
      main.link({ op: 'relay', ...at, ...encoded, failed: undefined }, going.moved);
    } catch (cause) {
      main.takeBack(encoded.extras, cause);
      const why = messageOf(cause);
      throw new ShoalError('MESSAGE_NOT_PLAIN', `The buffers of the message cannot be transferred: ${why}`, { cause });
    }
  }

  #waitFor(peer: Peer, op: Op): Promise<void> | undefined {
    if (peer.isGone) return undefined;
    if (op.op === 'after') return this.#options.main.reached(op.n);
    if (op.op !== 'here' || peer.relayed.has(op.n)) return undefined;
    return new Promise((resolve) => void peer.arrivals.add(resolve));
  }

  #deliver(peer: Peer, n: number): void {
    const relayed = peer.relayed.get(n);
    // Its sender was ended before it had left: it is counted as lost.
    if (relayed === undefined) return;
    peer.relayed.delete(n);
    peer.channel.deliverRelayed(relayed, withDirect(this.#options.main, peer.channel));
  }

  #arrived(op: Relayed): void {
    const peer = this.#peers.get(op.thread);
    if (peer === undefined) {
      this.#forget(op);
      return;
    }
    peer.relayed.set(op.n, op);
    peer.arrivals.wakeAll();
  }

  /** The refs of a message that is not delivered are released like others. */
  #forget({ message, extras }: Relayed): void {
    decode(message, extras, this.#options.main);
  }

  #route({ id, thread, actor, n, ask }: LinkOp & { readonly op: 'route' }): void {
    const peer = this.#peers.get(thread);
    const route = peer === undefined ? undefined : { channel: peer.channel, id: actor };
    if (!this.#options.main.routes.route(id, route, ask) || peer === undefined) return;
    this.#unroute(id);
    this.#routes.set(id, { thread, actor });
    peer.refs.set(actor, id);
    if (n !== undefined) peer.channel.after('main', n);
  }

  #unroute(id: number): void {
    const route = this.#routes.get(id);
    if (route === undefined) return;
    this.#routes.delete(id);
    this.#peers.get(route.thread)?.refs.delete(route.actor);
  }

  /** What the other shard had sent is delivered first. */
  #close({ thread, reason }: LinkOp & { readonly op: 'peer-gone' }): void {
    const peer = this.#peers.get(thread);
    if (peer === undefined) return;
    peer.isGone = true;
    peer.arrivals.wakeAll();
    peer.channel.drainHeld();
    // What was still to be posted is lost like all that was: it is counted with it, and nowhere else.
    peer.channel.flush();
    peer.channel.close(reason);
    this.#peers.delete(thread);
    for (const relayed of peer.relayed.values()) this.#forget(relayed);
    this.#options.onClosed(thread);
  }
}

/** The refs of a relayed message: replies go straight back, so that they keep their place among the other messages. */
function withDirect(main: RefTable, direct: RefTable): RefTable {
  return {
    tracing: main.tracing,
    addressOf(ref) {
      if (!(ref instanceof ReplyRef)) return main.addressOf(ref);
      const [, id] = direct.addressOf(ref);
      return ['direct-reply', id];
    },
    refOf: (address) => (address[0] === 'direct-reply' ? direct.refOf(address) : main.refOf(address)),
  };
}
