import type { ActorSystem, Exit, Ref } from '../../actors/mod.ts';
import { type HostEvent, type Hosts, joinHosts, natsPort } from '../../remote/mod.ts';
import type { SimulatedProcess } from '../process.ts';
import { ProcessWorld } from './process-world.ts';

export type Message =
  | { readonly kind: 'note'; readonly from: number; readonly n: number }
  | { readonly kind: 'ask'; readonly n: number; readonly replyTo: Ref<number> }
  | { readonly kind: 'keep'; readonly replyTo: Ref<number> }
  | { readonly kind: 'end' };

/** A watch of an actor of another host. */
export interface Watch {
  readonly by: Life;
  readonly of: Life;
  /** The epoch of the link that it went over. */
  readonly epoch: number;
  readonly told: Exit[];
}

/** A host from its start to its death. */
export interface Life {
  readonly number: number;
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly system: ActorSystem;
  readonly hosts: Hosts;
  readonly events: HostEvent[];
  /** What its actor was told, in order. */
  readonly notes: { readonly from: number; readonly n: number }[];
  letters: number;
  hasEnded: boolean;
}

const ASK_MS = 5_000;
const LATENCY_MS_MAX = 3;

/** Hosts on simulated processes and a simulated NATS server, with one actor each, and a record of all that happens. */
export class HostWorld extends ProcessWorld {
  readonly lives: Life[] = [];
  readonly watches: Watch[] = [];
  readonly asks = { open: 0, replied: 0, failed: 0 };
  /** Tells that returned true, by the number of the sender's life. */
  readonly told = new Map<number, number>();
  killed = 0;
  #n = 0;

  constructor(seed: number) {
    super(seed, LATENCY_MS_MAX);
  }

  start(name: string): Life {
    const number = this.lives.length;
    const { process, connection, system } = this.launch(`life ${number}`, {
      onDeadLetter: (letter) => {
        life.letters += letter.count ?? 1;
      },
    });
    const events: HostEvent[] = [];
    const hosts = joinHosts({
      system,
      port: natsPort(connection.nc),
      group: 'world.hosts',
      host: name,
      onEvent: (event) => events.push(event),
    });
    const life: Life = { number, name, process, system, hosts, events, notes: [], letters: 0, hasEnded: false };
    hosts.expose(
      'actor',
      system.spawn<Message>((context) => (message) => {
        if (message.kind === 'note') life.notes.push(message);
        if (message.kind === 'ask') message.replyTo.tell(message.n);
        if (message.kind !== 'end') return;
        life.hasEnded = true;
        context.exit();
      }),
    );
    this.lives.push(life);
    return life;
  }

  kill(life: Life): void {
    if (life.process.isDead) return;
    this.killed += 1;
    life.process.kill();
  }

  /** The actor of `to`, as `from` sees it; undefined unless it is up there. */
  refOf(from: Life, to: Life): Ref<Message> | undefined {
    const isUp = from.hosts.peers().some(({ incarnation }) => incarnation === to.hosts.incarnation);
    return isUp && from.process.isRunning ? from.hosts.ref<Message>(to.name, 'actor') : undefined;
  }

  tell(from: Life, to: Life, count: number): void {
    const ref = this.refOf(from, to);
    for (let told = 0; ref !== undefined && told < count; told++) {
      this.#n += 1;
      if (!ref.tell({ kind: 'note', from: from.number, n: this.#n })) continue;
      this.told.set(from.number, (this.told.get(from.number) ?? 0) + 1);
    }
  }

  ask(from: Life, to: Life, isAnswered: boolean): void {
    const ref = this.refOf(from, to);
    if (ref === undefined) return;
    this.#n += 1;
    const n = this.#n;
    this.asks.open += 1;
    const done = (outcome: 'replied' | 'failed') => (): void => {
      this.asks.open -= 1;
      this.asks[outcome] += 1;
    };
    // One that dies does not come to know how its asks end.
    from.process.onDeath(() => {
      if (!isOver) this.asks.open -= 1;
    });
    let isOver = false;
    const asked = from.system.ask<Message, number>(
      ref,
      (replyTo) => (isAnswered ? { kind: 'ask', n, replyTo } : { kind: 'keep', replyTo }),
      ASK_MS,
    );
    void asked
      .finally(() => {
        isOver = true;
      })
      .then(done('replied'), done('failed'));
  }

  watch(from: Life, to: Life): void {
    const ref = this.refOf(from, to);
    const epoch = from.hosts.peers().find(({ incarnation }) => incarnation === to.hosts.incarnation)?.epoch;
    if (ref === undefined || epoch === undefined) return;
    const told: Exit[] = [];
    from.system.spawn<Exit>((context) => {
      context.watch(ref, (exit) => exit);
      return (exit) => void told.push(exit);
    });
    this.watches.push({ by: from, of: to, epoch, told });
  }

  /** What does not hold; empty if all does. To be called when the hosts had time to come to rest. */
  findings(): string[] {
    return [
      ...this.#twice(),
      ...this.lives.flatMap((life) => this.#outOfOrder(life)),
      ...this.watches.flatMap((watch) => this.#toldWrongly(watch)),
      ...this.#unrested(),
      ...this.#lostSilently(),
      ...(this.asks.open === 0 ? [] : [`${this.asks.open} asks have not ended`]),
    ];
  }

  #twice(): string[] {
    const handled = this.lives.flatMap(({ notes }) => notes.map(({ n }) => n));
    return handled.length === new Set(handled).size ? [] : ['a message was handled twice'];
  }

  #outOfOrder({ name, notes }: Life): string[] {
    const last = new Map<number, number>();
    return notes.flatMap(({ from, n }) => {
      const before = last.get(from) ?? 0;
      last.set(from, n);
      return n > before ? [] : [`${name} was told ${n} after ${before} by life ${from}`];
    });
  }

  #toldWrongly({ by, of, epoch, told }: Watch): string[] {
    if (by.process.isDead) return [];
    const now = by.hosts.peers().find(({ incarnation }) => incarnation === of.hosts.incarnation)?.epoch;
    const wanted = of.hasEnded || of.process.isDead || now !== epoch ? 1 : 0;
    return told.length === wanted
      ? []
      : [`${by.name} was told ${told.length} times of an end of ${of.name}, not ${wanted}`];
  }

  /** Each of those that live sees all others, and nothing waits. */
  #unrested(): string[] {
    const living = this.lives.filter(({ process, hosts }) => !process.isDead && hosts.ended === undefined);
    return living.flatMap(({ name, hosts }) => {
      const { peers, waiting, damaged } = hosts.stats();
      if (peers === living.length - 1 && waiting === 0 && damaged === 0) return [];
      return [`${name} has ${peers} peers, ${waiting} waiting and ${damaged} damaged frames`];
    });
  }

  /** What a host took with it when it died, nobody can know. */
  #lostSilently(): string[] {
    if (this.killed > 0) return [];
    const letters = this.lives.reduce((sum, life) => sum + life.letters, 0);
    const handled = this.lives.reduce((sum, { notes }) => sum + notes.length, 0);
    const told = [...this.told.values()].reduce((sum, count) => sum + count, 0);
    return told <= handled + letters ? [] : [`of ${told} messages ${handled} were handled and ${letters} told as lost`];
  }
}
