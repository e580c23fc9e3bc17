import { inspect } from 'node:util';
import {
  type ActorSystem,
  type Behaviour,
  createSystem,
  type DeadLetter,
  type ExitReason,
  type Ref,
} from '../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { PlaceRequest, Settled, ShardControl, WorkerStats } from './control.ts';
import { causeFault } from './fault.ts';
import type { Factory } from './module.ts';
import { Peers } from './peers.ts';
import { PortChannel } from './port-channel.ts';
import type { ShardInit } from './shard-init.ts';
import { TalliedMailbox, Tally } from './tally.ts';
import type { WorkerEvent } from './worker-event.ts';

/**
 * Dead letters reported to the main thread one by one between two beats. Of the rest only the number is reported, for there is no limit to
 * them.
 */
const LETTERS_A_BEAT_MAX = 100;
const LETTER_DEPTH = 4;

/** A shard as its own thread sees it: an actor system and the channel to the main thread. */
export class ShardHost implements ShardControl {
  readonly index: number;
  readonly system: ActorSystem;
  /** Resolves when the main thread has called `shutdown` and all actors have ended. */
  readonly over: Promise<void>;
  readonly #tally: Tally;
  readonly #channel: PortChannel;
  readonly #peers: Peers;
  readonly #placed = new Map<number, Ref<never>>();
  readonly #ids = new Map<Ref<never>, number>();
  readonly #ends = new Map<number, Promise<ExitReason>>();
  /** Names that are taken: of actors that live, or start. */
  readonly #names = new Set<string>();
  readonly #end: () => void;
  #factories: Readonly<Record<string, Factory>> = {};
  /** Dead letters since the last beat. */
  #letters = 0;
  /** Dead letters that were only counted, and the last of them. */
  #untold = 0;
  #lastUntold: DeadLetter | undefined;

  constructor({ index, mail, tally }: ShardInit) {
    this.index = index;
    this.#tally = new Tally(tally);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
    this.system = createSystem({
      shard: `shard-${index}`,
      mailbox: <M>() => new TalliedMailbox<M>(this.#tally),
      onFailure: (path, error) => this.#failed(path, error),
      onDeadLetter: (letter) => this.#deadLetter(letter),
    });
    const ends = {
      system: this.system,
      placed: (id: number) => this.#placed.get(id),
      onDefect: (path: string, error: unknown) => this.#failed(path, toEnvelope(error)),
    };
    this.#channel = new PortChannel({
      ...ends,
      port: mail,
      peer: 'main',
      tally: this.#tally,
      placedIdOf: (ref) => this.#ids.get(ref),
      onEvent: () => undefined,
      // A shard that cannot send takes nothing: it would only make more that it cannot send.
      mayTake: () => this.#channel.hasRoom && this.#peers.hasRoom,
      onMayTake: (callback) => this.#onRoom(callback),
      waitFor: (op) => this.#peers.waitFor(op),
      onLink: (op) => this.#peers.obey(op),
      beforeEnded: () => this.#tellSaid(),
    });
    this.#peers = new Peers({
      ...ends,
      tally: this.#tally,
      main: this.#channel,
      onClosed: (thread) => this.tell({ kind: 'peer-closed', thread }),
    });
  }

  /** Names of placed actors that are taken. */
  get names(): number {
    return this.#names.size;
  }

  /** From now on actors can be placed here. */
  open(factories: Readonly<Record<string, Factory>>): void {
    this.#factories = factories;
    this.tell({ kind: 'up' });
  }

  /** The options of `createShards`. */
  optionsOf({ options }: ShardInit): unknown {
    return this.#channel.decode(options);
  }

  beat(): void {
    this.#letters = 0;
    this.tell({ kind: 'beat', bufferBytes: process.memoryUsage().arrayBuffers });
  }

  tell(event: WorkerEvent): void {
    this.#channel.sendEvent(event);
  }

  flush(): void {
    this.#peers.flush();
    this.#channel.flush();
  }

  place(request: PlaceRequest): Promise<Settled<void>> {
    return outcomeOf(async () => {
      const { actor, path, options, mark } = request;
      this.#tally.addPlaced();
      if (mark !== undefined) await this.#channel.reached(mark);
      const name = this.#nameOf(actor, path);
      this.#names.add(name);
      const start = this.#behaviourOf(request);
      const known: Behaviour<never> = (context) => {
        // The actor may send its own ref to others while it starts.
        this.#placed.set(actor, context.self);
        this.#ids.set(context.self, actor);
        return start(context);
      };
      try {
        const ref = await this.system.start(known, { ...options, name });
        this.#watch(actor, ref, name);
      } catch (error) {
        this.#forget(actor);
        this.#names.delete(name);
        throw error;
      }
    });
  }

  stop(actor: number, timeoutMs: number | undefined): Promise<Settled<ExitReason>> {
    return outcomeOf(async () => {
      const ref = this.#placed.get(actor);
      const end = this.#ends.get(actor);
      if (ref === undefined) return { kind: 'normal' };
      await this.system.stop(ref, timeoutMs);
      return end ?? { kind: 'shutdown' };
    });
  }

  stats(): Promise<Settled<WorkerStats>> {
    return outcomeOf(async () => {
      const peers = this.#peers.counts;
      const { sent, received } = this.#channel.counts;
      return {
        actors: this.#placed.size,
        depth: this.system.tree().children.reduce((sum, { depth }) => sum + depth, 0),
        sent: sent + peers.sent,
        received: received + peers.received,
        heapBytes: process.memoryUsage().heapUsed,
        deadLetters: this.system.deadLetters.count,
      };
    });
  }

  shutdown(timeoutMs: number): Promise<Settled<void>> {
    return outcomeOf(async () => {
      await this.system.shutdown(timeoutMs);
      // After the answer to this call.
      this.system.clock.soon(this.#end);
    });
  }

  injectFault(fault: string): Promise<Settled<void>> {
    return outcomeOf(async () => causeFault(fault));
  }

  #behaviourOf({ behaviour, args }: PlaceRequest): Behaviour<never> {
    const factory = Object.hasOwn(this.#factories, behaviour) ? this.#factories[behaviour] : undefined;
    if (typeof factory !== 'function') {
      const known = Object.keys(this.#factories).join(', ');
      throw new ShoalError(
        'SHARD_BEHAVIOUR_UNKNOWN',
        `No behaviour is called "${behaviour}" on this shard; there are ${known}`,
      );
    }
    // The caller of `shards.actor` has chosen name and arguments by the module's type.
    return factory(this.#channel.decode(args) as never) as Behaviour<never>;
  }

  /** The path of the proxy makes the name. An abandoned actor of that name may still be ending. */
  #nameOf(actor: number, path: string): string {
    const name = path.slice(1).replaceAll('/', '.');
    // The whole tree is looked at only if there is a doubt: thousands of actors may be placed at once.
    const isTaken = this.#names.has(name) && this.system.tree().children.some((child) => child.path === `/${name}`);
    return isTaken ? `${name}~${-actor}` : name;
  }

  #watch(actor: number, ref: Ref<never>, name: string): void {
    const end = this.system.ended(ref).then(({ reason }) => {
      this.#forget(actor);
      this.#names.delete(name);
      this.#tellSaid();
      this.tell({ kind: 'actor-ended', actor, reason });
      return reason;
    });
    this.#ends.set(actor, end);
  }

  /** What the actor has sent to other shards comes before the news of its end there. */
  #tellSaid(): void {
    const marks = this.#peers.mark();
    if (marks.length > 0) this.tell({ kind: 'said', marks });
  }

  /** Calls back when there is room on a channel that had none. @returns how to cancel it */
  #onRoom(callback: () => void): () => void {
    const cancel = this.#channel.hasRoom ? undefined : this.#channel.onRoom(callback);
    const cancelPeers = this.#peers.onRoom(callback);
    return () => {
      cancel?.();
      cancelPeers();
    };
  }

  #forget(actor: number): void {
    const ref = this.#placed.get(actor);
    if (ref !== undefined) this.#ids.delete(ref);
    this.#placed.delete(actor);
    this.#ends.delete(actor);
  }

  /** The proxy of a placed actor reports that one's failure. */
  #failed(path: string, error: ErrorEnvelope): void {
    if ([...this.#placed.values()].some((ref) => ref.path === path)) return;
    this.tell({ kind: 'failed', path, error });
  }

  #deadLetter({ from, to, message, ...rest }: DeadLetter): void {
    this.#tally.addLetter();
    this.#letters += 1;
    if (this.#letters <= LETTERS_A_BEAT_MAX) {
      this.tell({ kind: 'dead-letter', letter: { from, to, message: shown(message), ...rest } });
      return;
    }
    this.#untold += 1;
    this.#lastUntold = { from, to, message, ...rest };
    if (this.#untold === 1) queueMicrotask(() => this.#tellCount());
  }

  /** The rest of a flood goes as one, which stands for all of them. */
  #tellCount(): void {
    const letter = this.#lastUntold;
    if (letter === undefined) return;
    const count = this.#untold;
    this.#untold = 0;
    this.#lastUntold = undefined;
    this.tell({ kind: 'dead-letter', letter: { ...letter, message: shown(letter.message), count } });
  }
}

/** As text: the message may not be able to cross, and whoever reads about it has no use for its refs. */
function shown(message: unknown): string {
  try {
    return inspect(message, { depth: LETTER_DEPTH, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    // Its own way of showing itself throws.
    return 'a message that cannot be shown';
  }
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toEnvelope(error) };
  }
}
