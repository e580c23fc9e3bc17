import { type Duration, draw } from './duration.ts';
import type { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly data: Uint8Array;
  /** As on the wire; undefined if there are none. */
  readonly headers: Uint8Array | undefined;
}

/** A client's connection, as the server sees it. */
export interface NatsPeer {
  readonly process: SimulatedProcess;
  readonly isUp: boolean;
  /** Another number each time that it is lost: what was on its way then never arrives. */
  readonly life: number;
  /** The way to it is gone. */
  lose(): void;
  reconnect(): void;
}

export interface NatsSubscriber {
  readonly connection: NatsPeer;
  readonly pattern: string;
  readonly queue: string | undefined;
  receive(message: SimulatedMessage): void;
}

/** What the network between clients and server does to messages, each with a probability for one message. */
export interface NetworkFaults {
  /** A message never arrives, as if its connection had been lost with it. */
  readonly lost: number;
  readonly doubled: number;
  /** A message takes `lateMs` longer; those behind it on the connection wait for it. */
  readonly late: number;
  readonly lateMs: Duration;
}

export const NO_NETWORK_FAULTS: NetworkFaults = {
  lost: 0,
  doubled: 0,
  late: 0,
  lateMs: { kind: 'constant', ms: 0 },
};

/** What waits for the way of a connection. */
interface Held {
  readonly connection: NatsPeer;
  readonly life: number;
  readonly arrive: () => void;
}

export interface NatsServerOptions {
  readonly time: VirtualTime;
  readonly chance: Chance;
  /** From publisher through server to subscriber. */
  readonly latency: Duration;
}

/** What a NATS server takes in one message unless it is configured otherwise. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;
const SEPARATOR = '.';

/** The part of a NATS server that Shoal uses: subjects with wildcards, queue groups, request and reply, no responders. */
export class SimulatedNats {
  readonly payloadBytesMax = PAYLOAD_BYTES_MAX;
  faults: NetworkFaults = NO_NETWORK_FAULTS;
  /** Told of each message that is on its way to a subscriber. */
  onDelivery: (message: SimulatedMessage, to: SimulatedProcess) => void = () => undefined;
  /** Told of each message that is published, also if it is lost then. */
  onPublish: (message: SimulatedMessage, from: SimulatedProcess) => void = () => undefined;
  readonly #options: NatsServerOptions;
  readonly #exact = new Map<string, Set<NatsSubscriber>>();
  /** Subscriptions to `PREFIX.*`, as inboxes are, by their prefix. */
  readonly #byPrefix = new Map<string, Set<NatsSubscriber>>();
  readonly #others = new Set<NatsSubscriber>();
  /** When the last message to a subscriber's connection arrives: none overtakes it. */
  readonly #arrivalMs = new Map<NatsPeer, number>();
  readonly #cutOff = new Set<SimulatedProcess>();
  /** What waits on the ways of these, in both directions. */
  readonly #stalled = new Map<SimulatedProcess, Held[]>();
  readonly #connections = new Set<NatsPeer>();
  /** Places whose messages are lost, and places that get none, though their connections are up. */
  readonly #mute = new Set<string>();
  readonly #deaf = new Set<string>();
  /** Between servers of a cluster: places on one side do not know of those on the other. */
  #far: ReadonlySet<string> = new Set();
  /** For each process that publishes: those that nothing of it reaches. */
  readonly #cutWays = new Map<SimulatedProcess, Set<SimulatedProcess>>();

  constructor(options: NatsServerOptions) {
    this.#options = options;
  }

  attach(connection: NatsPeer): void {
    this.#connections.add(connection);
  }

  detach(connection: NatsPeer): void {
    this.#connections.delete(connection);
    this.#arrivalMs.delete(connection);
  }

  /** Whether the process has a way to this server. */
  reaches(process: SimulatedProcess): boolean {
    return !this.#cutOff.has(process) && !this.#stalled.has(process) && !process.isDead;
  }

  /** A partition: the connections of the process are lost until `join`. */
  cutOff(process: SimulatedProcess): void {
    this.#cutOff.add(process);
    for (const connection of this.#connections) if (connection.process === process) connection.lose();
  }

  join(process: SimulatedProcess): void {
    if (!this.#cutOff.delete(process)) return;
    for (const connection of this.#connections) if (connection.process === process) connection.reconnect();
  }

  /**
   * The way of the process is gone, and nobody knows: its connections stay up, and what either side sends waits, as in the buffers of TCP. A
   * connection that is reset meanwhile has forgotten it.
   */
  stall(process: SimulatedProcess): void {
    if (!this.#stalled.has(process)) this.#stalled.set(process, []);
  }

  /** What waits arrives, in order. */
  unstall(process: SimulatedProcess): void {
    const held = this.#stalled.get(process);
    if (held === undefined) return;
    this.#stalled.delete(process);
    for (const { connection, life, arrive } of held) if (connection.life === life) arrive();
    for (const connection of this.#connections) if (connection.process === process) connection.reconnect();
  }

  /** From now on nothing that `from` publishes reaches `to`, though both keep their connections. */
  cutWay(from: SimulatedProcess, to: SimulatedProcess): void {
    const cut = this.#cutWays.get(from) ?? new Set();
    this.#cutWays.set(from, cut.add(to));
  }

  joinWay(from: SimulatedProcess, to: SimulatedProcess): void {
    this.#cutWays.get(from)?.delete(to);
  }

  /** From now on nothing that is sent from this place arrives, though its connections are up. */
  silence(place: string): void {
    this.#mute.add(place);
  }

  /** From now on nothing arrives at this place, though its connections are up. */
  deafen(place: string): void {
    this.#deaf.add(place);
  }

  /** The servers fall apart: these places are at one of them, and all others at another. */
  split(places: ReadonlySet<string>): void {
    this.#far = places;
  }

  unsplit(): void {
    this.#far = new Set();
  }

  /** What is sent from this place arrives again, and so does what is sent to it. */
  mend(place: string): void {
    this.#mute.delete(place);
    this.#deaf.delete(place);
  }

  add(subscription: NatsSubscriber): void {
    this.#setOf(subscription.pattern).add(subscription);
  }

  remove(subscription: NatsSubscriber): void {
    const { pattern } = subscription;
    const set = this.#setOf(pattern);
    set.delete(subscription);
    if (set.size > 0) return;
    if (!isWild(pattern)) this.#exact.delete(pattern);
    else if (isInbox(pattern)) this.#byPrefix.delete(pattern.slice(0, -2));
  }

  /** Takes a message from a connection that is up. */
  publish(message: SimulatedMessage, from: NatsPeer): void {
    if (this.#waits(from, () => this.publish(message, from))) return;
    const { chance } = this.#options;
    const { lost, doubled } = this.faults;
    this.onPublish(message, from.process);
    if (this.#mute.has(from.process.place) || chance.happens(lost)) return;
    this.#route(message, from);
    if (chance.happens(doubled)) this.#route(message, from);
  }

  /** Calls back when all that was published before on this connection has been routed, if the connection still is up. */
  flush(connection: NatsPeer, callback: () => void): void {
    if (this.#waits(connection, () => this.flush(connection, callback))) return;
    const { time, chance, latency } = this.#options;
    const { life } = connection;
    time.after(draw(latency, chance), () => {
      if (connection.life === life) connection.process.gate(callback);
    });
  }

  /** Whether the way of this connection is gone: then it arrives when the way is back. */
  #waits(connection: NatsPeer, arrive: () => void): boolean {
    const held = this.#stalled.get(connection.process);
    held?.push({ connection, life: connection.life, arrive });
    return held !== undefined;
  }

  #route(message: SimulatedMessage, from: NatsPeer): void {
    const groups = new Map<string, NatsSubscriber[]>();
    let takers = 0;
    for (const subscription of this.#matching(message.subject)) {
      if (!subscription.connection.isUp || this.#areApart(from, subscription.connection)) continue;
      takers += 1;
      const { queue } = subscription;
      if (queue === undefined) this.#deliver(message, subscription, from);
      else {
        const group = groups.get(queue);
        if (group === undefined) groups.set(queue, [subscription]);
        else group.push(subscription);
      }
    }
    for (const group of groups.values()) {
      const chosen = this.#options.chance.oneOf(group);
      if (chosen !== undefined) this.#deliver(message, chosen, from);
    }
    if (takers === 0 && message.reply !== undefined) this.#noResponders(message.reply, from);
  }

  #noResponders(reply: string, to: NatsPeer): void {
    for (const subscription of this.#matching(reply)) {
      if (subscription.connection !== to) continue;
      const data = new Uint8Array();
      this.#deliver({ subject: reply, reply: undefined, data, headers: NO_RESPONDERS }, subscription, to);
      return;
    }
  }

  #deliver(message: SimulatedMessage, subscription: NatsSubscriber, from: NatsPeer): void {
    const { time, chance, latency } = this.#options;
    const { connection } = subscription;
    if (this.#deaf.has(connection.process.place)) return;
    if (this.#cutWays.get(from.process)?.has(connection.process) === true) return;
    this.onDelivery(message, connection.process);
    const lateMs = chance.happens(this.faults.late) ? draw(this.faults.lateMs, chance) : 0;
    const earliestMs = time.nowMs + draw(latency, chance) + lateMs;
    const arrivalMs = Math.max(earliestMs, this.#arrivalMs.get(connection) ?? 0);
    this.#arrivalMs.set(connection, arrivalMs);
    const { life } = connection;
    const arrive = (): void =>
      connection.process.gate(() => {
        if (connection.life === life) subscription.receive(message);
      });
    time.after(arrivalMs - time.nowMs, () => {
      if (connection.life === life && !this.#waits(connection, arrive)) arrive();
    });
  }

  #areApart(one: NatsPeer, other: NatsPeer): boolean {
    return this.#far.size > 0 && this.#far.has(one.process.place) !== this.#far.has(other.process.place);
  }

  *#matching(subject: string): Iterable<NatsSubscriber> {
    yield* this.#exact.get(subject) ?? [];
    const dot = subject.lastIndexOf(SEPARATOR);
    if (dot > 0) yield* this.#byPrefix.get(subject.slice(0, dot)) ?? [];
    for (const other of this.#others) if (matches(other.pattern, subject)) yield other;
  }

  #setOf(pattern: string): Set<NatsSubscriber> {
    if (isWild(pattern) && !isInbox(pattern)) return this.#others;
    const map = isWild(pattern) ? this.#byPrefix : this.#exact;
    const key = isWild(pattern) ? pattern.slice(0, -2) : pattern;
    const known = map.get(key);
    if (known !== undefined) return known;
    const made = new Set<NatsSubscriber>();
    map.set(key, made);
    return made;
  }
}

/** As the server sends it: a status line and no header. */
const NO_RESPONDERS = new TextEncoder().encode('NATS/1.0 503\r\n\r\n');

function isWild(pattern: string): boolean {
  return /[*>]/.test(pattern);
}

function isInbox(pattern: string): boolean {
  return pattern.endsWith('.*') && !isWild(pattern.slice(0, -1));
}

/** `*` stands for one token, `>` for one or more at the end. */
function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split(SEPARATOR);
  const given = subject.split(SEPARATOR);
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return given.length > at;
    if (given[at] === undefined || (token !== '*' && token !== given[at])) return false;
  }
  return wanted.length === given.length;
}
