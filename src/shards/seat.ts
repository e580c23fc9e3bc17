import type { ExitReason, Ref } from '../actors/mod.ts';
import { codeOf, fromEnvelope } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { ControlCalls, PlacedOptions } from './control.ts';

/** What a seat needs of the shard that it is on. */
export interface SeatGround {
  readonly shard: number;
  readonly connection: Connection;
  readonly calls: ControlCalls;
  readonly leave: (seat: Seat) => void;
}

/** The placed actor has ended by itself, or with its shard. */
export class Ended {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** From the request to the end of the behaviour's set-up. */
const PLACE_MS = 30_000;
const STOP_MS_DEFAULT = 30_000;
/** What a stop takes on its way, beyond what the actor takes. */
const STOP_MARGIN_MS = 2_000;

/** The place of one actor on one shard, as the main thread has it. */
export class Seat {
  readonly actor: number;
  /** Who stands for the actor on this side. */
  readonly self: Ref<never>;
  /** Resolves when the actor has ended, unless it was told to. */
  readonly ended: Promise<Ended>;
  readonly #ground: SeatGround;
  /** A path is put together each time that it is asked for. */
  readonly #path: string;
  readonly #options: PlacedOptions;
  readonly #end: (ended: Ended) => void;
  #state: 'free' | 'taken' | 'over' = 'free';

  constructor(actor: number, self: Ref<never>, options: PlacedOptions, ground: SeatGround) {
    this.actor = actor;
    this.self = self;
    this.#options = options;
    this.#ground = ground;
    this.#path = self.path;
    const { promise, resolve } = Promise.withResolvers<Ended>();
    this.ended = promise;
    this.#end = resolve;
  }

  get shard(): number {
    return this.#ground.shard;
  }

  /** Starts the actor. @throws what its behaviour throws; MESSAGE_NOT_PLAIN; SHARD_BEHAVIOUR_UNKNOWN, SHARD_CALL_TIMEOUT, SHARD_LOST */
  async place(behaviour: string, args: unknown): Promise<void> {
    const { connection, calls } = this.#ground;
    const { actor } = this;
    const path = this.#path;
    const packed = connection.pack(args);
    this.#state = 'taken';
    const request = { actor, path, behaviour, args: packed, options: this.#options };
    await calls.call(`start ${path}`, PLACE_MS, (shard) => shard.place(request));
  }

  /** @returns a promise while the way there is full */
  tell(message: unknown): undefined | Promise<void> {
    const { connection } = this.#ground;
    // One that is closed takes nothing any more, and says so.
    if (connection.hasRoom || connection.closed !== undefined) {
      connection.tell(this.actor, message, this.#path);
      return undefined;
    }
    return connection.room().then(() => this.tell(message));
  }

  /** Ends the actor, if it has not ended. Rejects if it failed at that. */
  async leave(): Promise<void> {
    const wasTaken = this.#state === 'taken';
    this.#state = 'over';
    try {
      if (wasTaken) await this.#stop();
    } finally {
      this.#ground.leave(this);
    }
  }

  /** The actor has ended by itself, or with its shard. */
  over(reason: ExitReason): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#ground.leave(this);
    this.#end(new Ended(reason));
  }

  async #stop(): Promise<void> {
    const { stopTimeoutMs = STOP_MS_DEFAULT } = this.#options;
    try {
      const reason = await this.#ground.calls.call(`stop ${this.#path}`, stopTimeoutMs + STOP_MARGIN_MS, (shard) =>
        shard.stop(this.actor, stopTimeoutMs),
      );
      if (reason.kind === 'error') throw fromEnvelope(reason.error);
    } catch (error) {
      // With its shard the actor has ended too.
      if (codeOf(error) !== 'SHARD_LOST') throw error;
    }
  }
}
