import { type ExitReason, failReplies, type Ref } from '../actors/mod.ts';
import { codeOf, fromEnvelope } from '../errors.ts';
import { Waiters } from '../refs/mod.ts';
import type { ControlCalls, PlacedOptions } from './control.ts';
import type { PortChannel } from './port-channel.ts';

/** What a placement needs of the shard that it is on. */
interface PlacementDeps {
  readonly shard: number;
  readonly channel: PortChannel;
  readonly calls: ControlCalls;
  readonly started: (placement: Placement) => void;
  /** The actor has ended, or was never started. */
  readonly release: (placement: Placement) => void;
}

/** From the request to the end of the behaviour's set-up. */
const START_MS = 30_000;
const STOP_MS_DEFAULT = 30_000;
/** How much longer the call of a stop may take than the stop itself. */
const STOP_MARGIN_MS = 2_000;

/** One actor on one shard, as the main thread sees it: first a reserved place, then the running actor. */
export class Placement {
  readonly actor: number;
  /** The proxy of the actor on this thread. */
  readonly proxy: Ref<never>;
  /** Resolves when the actor has ended without being told to. */
  readonly ended: Promise<ExitReason>;
  readonly #deps: PlacementDeps;
  /** Kept, because a path is composed each time that it is read. */
  readonly #path: string;
  readonly #options: PlacedOptions;
  readonly #resolveEnded: (reason: ExitReason) => void;
  #state: 'reserved' | 'started' | 'ended' = 'reserved';
  /** Messages wait while the actor's mailbox is full, unless it is to end. */
  #isFull = false;
  #isHurried = false;
  readonly #waiters = new Waiters();
  /** A message has been taken from the mailbox of the proxy and waits. */
  #isWaiting = false;

  constructor(actor: number, proxy: Ref<never>, options: PlacedOptions, deps: PlacementDeps) {
    this.actor = actor;
    this.proxy = proxy;
    this.#options = options;
    this.#deps = deps;
    this.#path = proxy.path;
    const { promise, resolve } = Promise.withResolvers<ExitReason>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  get isRunning(): boolean {
    return this.#state === 'started';
  }

  /** Whether all messages that the proxy has taken are on their way. */
  get isIdle(): boolean {
    return !this.#isWaiting;
  }

  get shard(): number {
    return this.#deps.shard;
  }

  /**
   * Starts the actor.
   * @throws what its behaviour throws; MESSAGE_NOT_PLAIN; SHARD_BEHAVIOUR_UNKNOWN, SHARD_CALL_TIMEOUT, SHARD_LOST
   */
  async start(behaviour: string, args: unknown): Promise<void> {
    const { channel, calls } = this.#deps;
    const { actor } = this;
    const path = this.#path;
    const encoded = channel.encode(args, `the arguments of ${path}`);
    this.#state = 'started';
    // What was said of the refs among the arguments comes first.
    const mark = encoded.extras === undefined ? undefined : channel.mark();
    const request = { actor, path, behaviour, args: encoded, options: this.#options, mark };
    await calls.call(`start ${path}`, START_MS, (shard) => shard.place(request));
    if (this.isRunning) this.#deps.started(this);
  }

  /** @returns a promise while the channel is full */
  tell(message: unknown): undefined | Promise<void> {
    const { channel } = this.#deps;
    // A closed channel makes the message a dead letter.
    this.#isWaiting = false;
    const isOver = channel.closed !== undefined || this.#state === 'ended' || this.#isHurried;
    if (isOver || (!this.#isFull && channel.hasRoom)) {
      try {
        // The proxy has taken it for the actor, whose mailbox must not refuse it.
        channel.tell(this.actor, message, this.#path, true);
      } catch (error) {
        // It could cross when it was sent, but its sender has changed it since, or given a buffer away twice. The
        // actor that it is for is not to blame.
        channel.refuse(this.#path, message, 'invalid', error);
        failReplies(message, error);
      }
      return undefined;
    }
    this.#isWaiting = true;
    return this.#woken().then(() => this.tell(message));
  }

  /** The actor's mailbox is full, or has room again. */
  onRoom(hasRoom: boolean): void {
    this.#isFull = !hasRoom;
    if (hasRoom) this.#waiters.wakeAll();
  }

  /** The actor is to end: the message in hand waits for room no longer. If there is none, it is a dead letter. */
  hurry(): void {
    this.#isHurried = true;
    this.#waiters.wakeAll();
  }

  /** Resolves when there may be room, or the actor is to end. */
  #woken(): Promise<void> {
    const { channel } = this.#deps;
    return new Promise((resolve) => {
      const wake = (): void => {
        cancelOwn();
        cancelChannel?.();
        resolve();
      };
      const cancelOwn = this.#waiters.add(wake);
      const cancelChannel = channel.hasRoom ? undefined : channel.onRoom(wake);
    });
  }

  /** Ends the actor if it runs, and gives its place back. Rejects if the actor failed while it stopped. */
  async end(): Promise<void> {
    if (this.#state === 'ended') return;
    const wasStarted = this.#state === 'started';
    this.#state = 'ended';
    this.#waiters.wakeAll();
    try {
      if (wasStarted) await this.#stop();
    } finally {
      this.#deps.release(this);
    }
  }

  /** The actor has ended by itself, or with its shard. */
  onActorEnded(reason: ExitReason): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#waiters.wakeAll();
    this.#deps.release(this);
    this.#resolveEnded(reason);
  }

  async #stop(): Promise<void> {
    const { stopTimeoutMs = STOP_MS_DEFAULT } = this.#options;
    try {
      const reason = await this.#deps.calls.call(`stop ${this.#path}`, stopTimeoutMs + STOP_MARGIN_MS, (shard) =>
        shard.stop(this.actor, stopTimeoutMs),
      );
      if (reason.kind === 'error') throw fromEnvelope(reason.error);
    } catch (error) {
      // The actor has ended with its shard.
      if (codeOf(error) !== 'SHARD_LOST') throw error;
    }
  }
}
