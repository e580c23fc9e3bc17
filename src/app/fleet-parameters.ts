import { type CancelTimer, type Clock, type Random, randomHex } from '../actors/mod.ts';
import { codeOf, messageOf, ShoalError, toEnvelope } from '../errors.ts';
import {
  changedParams,
  compareFleetParams,
  type FleetParams,
  fleetValues,
  makeParams,
  type Params,
} from '../fleet/mod.ts';
import {
  type BucketState,
  fleetParamsFromBytes,
  fleetParamsToBytes,
  type KnownParams,
  type ParamsBucket,
} from '../store/mod.ts';
import type { EventLog } from './event-log.ts';

type Values = Readonly<Record<string, number | string>>;

export interface FleetParametersOptions {
  readonly bucket: ParamsBucket;
  readonly known: KnownParams;
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly eventLog: EventLog;
  /** The parameters in force on this host. */
  readonly params: () => Params;
  /** Writes to the tables and puts in force. @throws CONFIG_VALUE, STORE_WRITE_FAILED; then nothing has changed */
  readonly apply: (values: Values) => Promise<unknown>;
  /** Without JetStream: each host in reach takes them over. @returns the names of those that did not answer */
  readonly tellHosts: (params: FleetParams) => Promise<readonly string[]>;
  /** Without JetStream: what each host in reach knows. What cannot be read is left out. */
  readonly askHosts: () => Promise<readonly FleetParams[]>;
  /** With JetStream: the other hosts look into the bucket now, and not at their next turn. */
  readonly announce: () => void;
  /** Of the whole fleet's parameters those that this start was given (`up --set`). */
  readonly wanted?: Values;
}

/** How often a host looks into the bucket although nobody has announced a change. */
const LOOK_MS = 5_000;
/** A server without JetStream seldom gets it, and hosts seldom miss what others have told. */
const LOOK_WITHOUT_JETSTREAM_MS = 60_000;
/** With one more try, below the timeout of an administration call. */
const SET_MS = 2_500;
const TRIES_MAX = 50;
const PAUSE_MS = 50;
const ID_BYTES = 8;
const DEFAULTS = fleetValues(makeParams());

/**
 * The parameters of the whole fleet on this host. They stand in a bucket that all hosts look into; each keeps what it saw last, and goes on
 * with that while the bucket is away. Of two documents the later one counts (`compareFleetParams`), so a bucket that was lost is made anew
 * of the latest that any host has. Without JetStream, hosts tell each other, and ask each other for what they have missed.
 */
export class FleetParameters {
  readonly #of: FleetParametersOptions;
  #wanted: Values;
  #turn: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #cancel: CancelTimer | undefined;
  #isClosed = false;
  #hasJetStream = true;
  /** This process has looked into the bucket, or knows that there is none. Until then a host may bring the parameters of another fleet. */
  #hasJoined = false;
  /** What was told last of a bucket that is away, or of a disk that is full. */
  #trouble: string | undefined;
  #damaged: number | undefined;
  /** The document that is in the tables and in force. */
  #applied: FleetParams | undefined;

  constructor(of: FleetParametersOptions) {
    this.#of = of;
    this.#wanted = of.wanted ?? {};
  }

  /** What was known at the last moment is in force when it resolves; the bucket is looked into from then on. */
  async start(): Promise<void> {
    const { last } = this.#of.known;
    // A crash may have come between the two writes of a change. `--set` counts more, if it fits.
    if (last !== undefined) {
      await this.#of
        .apply({ ...last.values, ...this.#wanted })
        .catch(() => this.#of.apply(last.values))
        .then(() => {
          this.#applied = last;
        })
        .catch((error: unknown) => this.#warn('what this host knows of them cannot be put in force', error));
    }
    void this.look();
  }

  /** What this host knows; undefined if nothing was ever set. */
  get document(): FleetParams | undefined {
    return this.#of.known.last;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  /** Looks into the bucket now. Looks that come while one is under way share the next one. Never rejects. */
  look(): Promise<void> {
    this.#next ??= this.#looking.then(async () => {
      this.#next = undefined;
      if (this.#isClosed) return;
      this.#cancel?.();
      await this.#look().catch((error: unknown) => {
        if (!this.#isClosed) this.#away(error);
      });
      if (this.#isClosed) return;
      this.#cancel = this.#of.clock.timer(
        this.#hasJetStream ? LOOK_MS : LOOK_WITHOUT_JETSTREAM_MS,
        () => void this.look(),
      );
    });
    this.#looking = this.#next;
    return this.#next;
  }

  /**
   * Changes parameters of the whole fleet.
   * @returns the names of the hosts that were not reached: always none with JetStream, where they look into the bucket once they can
   * @throws CONFIG_VALUE; PARAMS_UNAVAILABLE, PARAMS_CONFLICT: nothing has changed; PARAMS_UNCERTAIN; STORE_WRITE_FAILED: not in force here yet
   */
  async set(values: Values): Promise<readonly string[]> {
    const { bucket, clock, random } = this.#of;
    if (!this.#hasJoined) await this.look();
    const id = randomHex(random, ID_BYTES);
    const endMs = clock.monotonic() + SET_MS;
    /** The revision of a write that nobody has answered. As long as the bucket is there, it may still be made. */
    let openAt: number | undefined;
    const settled = async <T>(call: Promise<T>): Promise<T> => {
      try {
        return await call;
      } catch (error) {
        throw openAt === undefined ? error : uncertain(error);
      }
    };
    for (let tries = 0; tries < TRIES_MAX && clock.monotonic() < endMs; tries++) {
      const state = await settled(bucket.read());
      this.#back(state);
      if (state.kind === 'none') return this.#tellAll(values, id);
      const there = this.#documentIn(state);
      const document = there === 'damaged' ? undefined : there;
      if (document?.changes.includes(id)) return this.#made(document);
      // Somebody else has written, so ours cannot be written any more.
      if (openAt !== state.revision) openAt = undefined;
      const next = changedParams(this.#latest(document), values, { id, atMs: clock.now() });
      const result = await settled(bucket.write(fleetParamsToBytes(next), state.revision));
      if (result === 'written') return this.#made(next);
      if (result === 'unknown') openAt = state.revision;
      await pause(clock, Math.ceil(PAUSE_MS * random.fraction()));
    }
    if (openAt !== undefined) throw uncertain();
    throw new ShoalError(
      'PARAMS_CONFLICT',
      'Others changed the parameters of the fleet at each try, so nothing was changed; try again',
    );
  }

  /** Takes over what another host has told, if it is later. @throws STORE_WRITE_FAILED */
  adopt(params: FleetParams): Promise<void> {
    return this.#inTurn(async () => {
      const { last } = this.#of.known;
      const order = last === undefined ? 1 : compareFleetParams(params, last);
      if (order > 0 || (order === 0 && !this.#isApplied(params))) await this.#adopt(params);
    });
  }

  /** One after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #look(): Promise<void> {
    const state = await this.#of.bucket.read();
    this.#back(state);
    if (state.kind === 'open') await this.#settle(state);
    else await this.#settleWithHosts();
    this.#hasJoined = true;
    await this.#setWanted();
  }

  /** Makes bucket and host equal: what is later goes to the other. */
  async #settle(state: BucketState & { readonly kind: 'open' }): Promise<void> {
    const there = this.#documentIn(state);
    if (there === 'damaged') return;
    if (there !== undefined && this.#isOfAnotherFleet(there)) return this.#join(there, 'the bucket has');
    const mine = this.#latest(there);
    if (mine === there) {
      await this.adopt(there);
      return;
    }
    // If it is not written, the next look decides.
    if ((await this.#of.bucket.write(fleetParamsToBytes(mine), state.revision)) !== 'written') return;
    await this.adopt(mine);
    if (there !== undefined) {
      this.#tell(
        `the bucket had version ${there.version}: version ${mine.version} of this host is later, and replaces it`,
      );
    } else if (mine.version > 0) {
      this.#tell(`the bucket was empty: it is made again from version ${mine.version}, which this host knows`);
    }
    this.#of.announce();
  }

  /** What a host missed while it was away or cut off, it learns from the others. */
  async #settleWithHosts(): Promise<void> {
    const documents = await this.#of.askHosts();
    const [first, ...others] = documents;
    if (first === undefined) return;
    const there = others.reduce((a, b) => (compareFleetParams(b, a) > 0 ? b : a), first);
    if (this.#isOfAnotherFleet(there)) return this.#join(there, 'the other hosts have');
    await this.adopt(there);
  }

  #isOfAnotherFleet({ lineage }: FleetParams): boolean {
    const { last } = this.#of.known;
    return !this.#hasJoined && last !== undefined && lineage !== last.lineage;
  }

  #join(there: FleetParams, what: string): Promise<void> {
    this.#tell(`this host comes from another fleet, or the fleet was made anew: it takes over what ${what}`);
    return this.#inTurn(() => this.#adopt(there));
  }

  async #setWanted(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = {};
    const { values } = this.#latest(undefined);
    if (Object.entries(wanted).every(([name, value]) => values[name] === Number(value))) return;
    try {
      const unreached = await this.set(wanted);
      if (unreached.length > 0) this.#tell(`not reached: ${unreached.join(', ')}`);
    } catch (error) {
      this.#warn('those that this start was given were not set', error);
    }
  }

  async #made(params: FleetParams): Promise<readonly string[]> {
    this.#of.announce();
    await this.adopt(params);
    return [];
  }

  async #tellAll(values: Values, id: string): Promise<readonly string[]> {
    const params = await this.#inTurn(async () => {
      const next = changedParams(this.#latest(undefined), values, { id, atMs: this.#of.clock.now() });
      await this.#adopt(next);
      return next;
    });
    return this.#of.tellHosts(params);
  }

  /** On disk as known, then in the tables, then in force. */
  async #adopt(params: FleetParams): Promise<void> {
    const before = fleetValues(this.#of.params());
    const { last } = this.#of.known;
    if (last === undefined || compareFleetParams(last, params) !== 0) await this.#of.known.save(params);
    await this.#of.apply(params.values);
    this.#applied = params;
    const changes = Object.entries(params.values).filter(([name, value]) => before[name] !== value);
    if (changes.length === 0) return;
    const list = changes.map(([name, value]) => `${name} ${before[name]} -> ${value}`).join(', ');
    this.#tell(`version ${params.version} is in force: ${list}`);
  }

  #isApplied(params: FleetParams): boolean {
    return this.#applied !== undefined && compareFleetParams(params, this.#applied) === 0;
  }

  /** The later one of that document and what this host knows. A host that knows nothing starts from what is in its tables. */
  #latest(there: FleetParams | undefined): FleetParams {
    const { last } = this.#of.known;
    if (last !== undefined) return there !== undefined && compareFleetParams(there, last) >= 0 ? there : last;
    if (there !== undefined) return there;
    const values = fleetValues(this.#of.params());
    const isChosen = Object.entries(values).some(([name, value]) => DEFAULTS[name] !== value);
    const lineage = randomHex(this.#of.random, ID_BYTES);
    return { lineage, version: 0, atMs: isChosen ? Math.floor(this.#of.clock.now()) : 0, changes: [], values };
  }

  #documentIn({ bytes, revision }: BucketState & { readonly kind: 'open' }): FleetParams | 'damaged' | undefined {
    if (bytes === undefined) return undefined;
    try {
      return fleetParamsFromBytes(bytes);
    } catch (error) {
      if (this.#damaged !== revision) this.#warn(`revision ${revision} of the bucket is ignored`, error);
      this.#damaged = revision;
      return 'damaged';
    }
  }

  #back({ kind }: BucketState): void {
    this.#hasJetStream = kind === 'open';
    if (this.#trouble !== undefined) this.#tell('the bucket is back');
    this.#trouble = undefined;
  }

  #away(error: unknown): void {
    const what =
      codeOf(error) === 'PARAMS_UNAVAILABLE'
        ? 'the bucket is away, and this host goes on with what it knows'
        : 'they are not in force on this host';
    if (this.#trouble !== what) this.#warn(what, error);
    this.#trouble = what;
  }

  #tell(text: string): void {
    const { eventLog, host } = this.#of;
    eventLog.add({ atMs: eventLog.nowMs, kind: 'params-set', host, text: `parameters of the fleet: ${text}` });
  }

  #warn(what: string, error: unknown): void {
    const why = messageOf(error);
    this.#of.eventLog.warn(`parameters of the fleet: ${what}: ${why}`, toEnvelope(error));
  }
}

function uncertain(cause?: unknown): ShoalError {
  return new ShoalError(
    'PARAMS_UNCERTAIN',
    'The NATS servers did not say whether they took the change of the parameters: it may have been made, and may still be; ' +
      'look at `shoal params ls` once they answer, and set again what is missing',
    { cause },
  );
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.timer(ms, resolve));
}
