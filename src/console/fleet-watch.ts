import type { Clock } from '../actors/mod.ts';
import { messageOf } from '../errors.ts';
import type { FleetSnapshot } from '../fleet/mod.ts';
import { EventLines } from './event-lines.ts';
import type { Facts } from './facts.ts';
import { FleetFollower, type Followed, type Place } from './fleet-follower.ts';
import { History } from './history.ts';
import { mergedSnapshot } from './merged-snapshot.ts';
import { snapshotIn } from './replies.ts';

export interface WatchOptions {
  /** Says where the fleet is; throws while it is nowhere. */
  readonly find: () => Place;
  readonly clock: Clock;
  /** Shows this host alone; default: all hosts. */
  readonly host?: string | undefined;
  /** There is something new to see. */
  readonly onChange: () => void;
}

/** Enough to fill the events pane of any terminal. */
const EVENTS_AT_START = 200;

/** Collects what the dashboard shows of the fleet that it follows. */
export class FleetWatch {
  readonly #options: WatchOptions;
  readonly #history = new History();
  readonly #eventLines = new EventLines();
  #facts: Facts;
  #follower: FleetFollower | undefined;

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
    const { find, clock, host, onChange } = options;
    watch.#follower = await FleetFollower.open({
      find,
      name: 'shoal-top',
      eventsAtStart: EVENTS_AT_START,
      clock,
      host,
      onEvent: (event) => {
        watch.#eventLines.add(event);
        onChange();
      },
      look: (followed) => watch.#see(followed),
      onLost: (error) => {
        watch.#facts = { ...watch.#facts, lost: messageOf(error) };
        onChange();
      },
    });
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
  async follow(): Promise<void> {
    await this.#follower?.follow();
  }

  /** Looks once. @throws if there is nothing to see */
  async look(): Promise<void> {
    await this.#follower?.look();
  }

  /** A line of our own among the events. */
  note(text: string): void {
    this.#eventLines.note(this.#options.clock.now(), text);
    this.#options.onChange();
  }

  /** Calls a verb of administration. @throws what the verb threw; NATS_UNREACHABLE while the fleet is lost */
  async ask(verb: string, args: unknown, host?: string): Promise<unknown> {
    return this.#follower?.ask(verb, args, host);
  }

  async close(): Promise<void> {
    await this.#follower?.close();
  }

  async #see({ fleet, nats, every }: Followed): Promise<void> {
    const looks = (await every('ps', {})).map(({ host, value, error }) => {
      return { host, snapshot: error === undefined ? snapshotIn(value) : undefined };
    });
    const snapshot = mergedSnapshot(looks);
    this.#history.add(snapshot, this.#options.clock.monotonic());
    this.#facts = { ...this.#facts, fleet, nats, snapshot, lost: undefined };
    this.#options.onChange();
  }
}

const NOTHING: FleetSnapshot = {
  vms: [],
  hosts: [],
  waiting: 0,
  blocked: null,
  addresses: 0,
  addresses_free: 0,
  requests: { accepted: 0, ok: 0, failed: {}, routed: {}, handed: { on: 0, refused: 0, in: 0 } },
  deploy: null,
  neighbours: [],
  cordoned: false,
  uptime_ms: 0,
};
