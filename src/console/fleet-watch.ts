import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetSnapshot } from '../fleet/mod.ts';
import { EventLines } from './event-lines.ts';
import type { Facts } from './facts.ts';
import { History } from './history.ts';
import { openWire, type Place, type Wire } from './wire.ts';

export interface WatchOptions {
  /** Says where the fleet is; asked again after each loss, since it may come back elsewhere. Throws while it is nowhere. */
  readonly find: () => Place;
  readonly clock: Clock;
  /** There is something new to see. */
  readonly onChange: () => void;
}

const LOOK_EVERY_MS = 1_000;

/** Looks at a fleet once a second and hears its events, over a connection that is made anew whenever it is lost. */
export class FleetWatch {
  readonly #options: WatchOptions;
  readonly #history = new History();
  readonly #eventLines = new EventLines();
  /** Connections that are being closed. */
  readonly #closing = new Set<Promise<void>>();
  #wire: Wire | undefined;
  #facts: Facts;
  #closed = false;
  #endPause: () => void = () => undefined;

  private constructor(options: WatchOptions) {
    this.#options = options;
    this.#facts = {
      fleet: '',
      nats: '',
      snapshot: NOTHING,
      lost: undefined,
      history: this.#history.samples,
      events: this.#eventLines.latest,
    };
  }

  /** @throws what the first look throws: FLEET_NOT_RUNNING, NATS_UNREACHABLE */
  static async open(options: WatchOptions): Promise<FleetWatch> {
    const watch = new FleetWatch(options);
    try {
      await watch.look();
    } catch (error) {
      await watch.close();
      throw error;
    }
    return watch;
  }

  get facts(): Facts {
    return this.#facts;
  }

  /** Looks again and again until it is closed. Never rejects. */
  async goOn(): Promise<void> {
    while (!this.#closed) {
      await this.#pause();
      if (this.#closed) return;
      try {
        await this.look();
      } catch (error) {
        this.#lose(error);
      }
    }
  }

  /** Looks once. @throws if there is nothing to see */
  async look(): Promise<void> {
    this.#wire ??= await this.#connect();
    const { fleet, nats } = this.#wire;
    // What this verb returns is this type, on both sides.
    const snapshot = (await this.#wire.ask('ps', {})) as FleetSnapshot;
    this.#history.add(snapshot, this.#options.clock.monotonic());
    this.#facts = { ...this.#facts, fleet, nats, snapshot, lost: undefined };
    this.#options.onChange();
  }

  /** A line of our own among the events. */
  note(text: string): void {
    this.#eventLines.note(this.#options.clock.now(), text);
    this.#options.onChange();
  }

  /** Calls a verb of administration. @throws what the verb threw; NATS_UNREACHABLE while the connection is lost */
  async ask(verb: string, args: unknown): Promise<unknown> {
    if (this.#wire === undefined) throw new ShoalError('NATS_UNREACHABLE', 'The connection is lost');
    return this.#wire.ask(verb, args);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endPause();
    this.#drop();
    await Promise.all(this.#closing);
  }

  async #connect(): Promise<Wire> {
    const wire = await openWire({
      place: this.#options.find(),
      onEvent: (events) => {
        this.#eventLines.add(events);
        this.#options.onChange();
      },
      onLost: (error) => this.#lose(error),
    });
    if (!this.#closed) return wire;
    await wire.close();
    throw new ShoalError('NATS_UNREACHABLE', 'closed meanwhile');
  }

  #lose(error: unknown): void {
    if (this.#closed) return;
    this.#facts = { ...this.#facts, lost: error instanceof Error ? error.message : String(error) };
    this.#drop();
    this.#options.onChange();
  }

  /** One that is lost takes its time to close: the next is not to wait for it. */
  #drop(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire === undefined) return;
    const closing = wire.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.timer(LOOK_EVERY_MS, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

const NOTHING: FleetSnapshot = {
  vms: [],
  hosts: [],
  waiting: 0,
  addresses: 0,
  addresses_free: 0,
  requests: { accepted: 0, ok: 0, failed: {}, routed: {} },
  uptime_ms: 0,
};
