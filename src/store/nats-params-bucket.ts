import { ErrorCode, headers, type JetStreamManager, type NatsConnection, NatsError, type StoredMsg } from 'nats';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { FLEET_PARAMS_BYTES_MAX } from './fleet-params-text.ts';
import type { BucketState, ParamsBucket } from './params-bucket.ts';

const KEY = 'params';
/** Which revision a value was made of: the server's own check of that is not enough (see `NatsParamsBucket`). */
const BASE = 'Shoal-Base';
/** Earlier values, for people (`nats kv history`), and to tell which of several at the same moment came first. The most that there can be. */
const HISTORY = 64;
/** With as many entries of other keys among them, which are not Shoal's. */
const LOOKED_BACK_MAX = 2 * HISTORY;
const NO_BYTES = new Uint8Array();
const REPLICAS = 3;
/** A bucket with fewer replicas is looked at again after so many reads: the cluster may have grown. */
const READS_TO_WIDEN = 12;
const CALL_MS = 1_000;
/** Numbers of JetStream's errors. */
const NOT_ENABLED: ReadonlySet<number> = new Set([10_039, 10_076]);
const NO_SUCH_MESSAGE = 10_037;
const NO_SUCH_STREAM = 10_059;
const WRONG_LAST_SEQUENCE = 10_071;
/** A server alone, a cluster that is too small, and another host that has made the bucket in the meantime. */
const MAY_BE_SMALLER: ReadonlySet<number> = new Set([10_005, 10_074, 10_058]);

/** The bucket of a fleet in JetStream, with three replicas if the cluster has three servers. */
export function natsParamsBucket(nc: NatsConnection, fleet: string, timeoutMs = CALL_MS): ParamsBucket {
  return new NatsParamsBucket(nc, `shoal-${fleet}`, timeoutMs);
}

/**
 * nats.js's own view of a bucket is used to make it alone: its `get` takes a bucket that is gone for one without a value, and its errors do
 * not say whether a value may have been written.
 *
 * With replicas, nats-server 2.9.10 confirms several writes that expect the same revision, if they come at the same moment: it compares
 * before it has stored the others. So each value names the revision that it was made of. It counts if no other value came between the
 * two: all servers have the values in one order, so exactly one of those writes counts, and all readers see which.
 */
class NatsParamsBucket implements ParamsBucket {
  readonly #nc: NatsConnection;
  readonly #name: string;
  readonly #subject: string;
  readonly #stream: string;
  readonly #timeoutMs: number;
  /** A server that had JetStream once is a server whose JetStream is away, and not one without. */
  #wasThere = false;
  #readsToWiden = 0;

  constructor(nc: NatsConnection, name: string, timeoutMs: number) {
    this.#nc = nc;
    this.#name = name;
    this.#stream = `KV_${name}`;
    this.#subject = `$KV.${name}.${KEY}`;
    this.#timeoutMs = timeoutMs;
  }

  async read(): Promise<BucketState> {
    try {
      const state = this.#there(await this.#read());
      if (this.#readsToWiden-- <= 0) await this.#widen();
      return state;
    } catch (cause) {
      if (!this.#wasThere && isWithout(cause)) return { kind: 'none' };
      if (numberOf(cause) !== NO_SUCH_STREAM) throw this.#away(cause);
    }
    try {
      await this.#make();
      return this.#there(await this.#read());
    } catch (cause) {
      if (!this.#wasThere && isWithout(cause)) return { kind: 'none' };
      throw this.#away(cause);
    }
  }

  async write(bytes: Uint8Array, revision: number): Promise<'written' | 'conflict' | 'unknown'> {
    const header = headers();
    header.set(BASE, String(revision));
    let written: number;
    try {
      const answer = await this.#nc.jetstream({ timeout: this.#timeoutMs }).publish(this.#subject, bytes, {
        headers: header,
        expect: { streamName: this.#stream, lastSubjectSequence: revision },
      });
      written = answer.seq;
    } catch (cause) {
      const number = numberOf(cause);
      if (number === WRONG_LAST_SEQUENCE) return 'conflict';
      const code = codeOf(cause);
      const isRefused = code === ErrorCode.NoResponders || code === ErrorCode.PermissionsViolation;
      // Nobody was there to take it, or a server says no: it was not written. After anything else it may have been.
      if (number !== undefined || isRefused) throw this.#away(cause);
      return 'unknown';
    }
    try {
      const between = await this.#entries(revision + 1, written - 1);
      return between.length === 0 ? 'written' : 'conflict';
    } catch {
      return 'unknown';
    }
  }

  #there(state: BucketState): BucketState {
    this.#wasThere = true;
    return state;
  }

  /** The leader answers. A direct get could be answered by a replica that is behind. */
  async #read(): Promise<BucketState> {
    const manager = await this.#manager();
    let entry: StoredMsg;
    try {
      entry = await manager.streams.getMessage(this.#stream, { last_by_subj: this.#subject });
    } catch (error) {
      if (numberOf(error) !== NO_SUCH_MESSAGE) throw error;
      return { kind: 'open', revision: 0, bytes: undefined };
    }
    return { kind: 'open', revision: entry.seq, bytes: await this.#counting(entry) };
  }

  /** The latest value that counts: the last one, unless others came between it and what it was made of. */
  async #counting(last: StoredMsg): Promise<Uint8Array | undefined> {
    let entry = last;
    for (let seq = last.seq - 1; ; seq--) {
      const base = baseOf(entry);
      if (base === undefined || base === seq) return bytesOf(entry);
      // So many are not kept. What is there is none that a host could use, and the next change replaces it.
      if (seq === 0 || last.seq - seq > LOOKED_BACK_MAX) return NO_BYTES;
      const before = await this.#entry(seq);
      if (before?.subject !== this.#subject) continue;
      if (base === before.seq) return bytesOf(entry);
      entry = before;
    }
  }

  /** The values with these revisions, as far as they are kept. Another key may have some of the numbers. */
  async #entries(first: number, last: number): Promise<readonly StoredMsg[]> {
    if (last < first) return [];
    const entries: StoredMsg[] = [];
    for (let seq = Math.max(first, last - LOOKED_BACK_MAX); seq <= last; seq++) {
      const entry = await this.#entry(seq);
      if (entry?.subject === this.#subject) entries.push(entry);
    }
    return entries;
  }

  async #entry(seq: number): Promise<StoredMsg | undefined> {
    const manager = await this.#manager();
    return manager.streams.getMessage(this.#stream, { seq }).catch((error: unknown) => {
      if (numberOf(error) === NO_SUCH_MESSAGE) return undefined;
      throw error;
    });
  }

  #manager(): Promise<JetStreamManager> {
    return this.#nc.jetstreamManager({ timeout: this.#timeoutMs, checkAPI: false });
  }

  async #make(): Promise<void> {
    this.#readsToWiden = READS_TO_WIDEN;
    try {
      await this.#makeWith(REPLICAS);
    } catch (error) {
      if (!MAY_BE_SMALLER.has(numberOf(error) ?? 0)) throw error;
      await this.#makeWith(1);
    }
  }

  /** A bucket that was made while too few servers were there gets its replicas once there are enough. It serves without them, too. */
  async #widen(): Promise<void> {
    this.#readsToWiden = READS_TO_WIDEN;
    try {
      const { streams } = await this.#manager();
      const { config, cluster } = await streams.info(this.#stream);
      if (config.num_replicas >= REPLICAS) this.#readsToWiden = Number.POSITIVE_INFINITY;
      else if (cluster !== undefined) await streams.update(this.#stream, { num_replicas: REPLICAS });
    } catch {
      // Too few servers yet, or no right to change the bucket.
    }
  }

  async #makeWith(replicas: number): Promise<void> {
    await this.#nc.jetstream({ timeout: this.#timeoutMs }).views.kv(this.#name, {
      replicas,
      history: HISTORY,
      maxValueSize: FLEET_PARAMS_BYTES_MAX,
      allow_direct: false,
    });
  }

  #away(cause: unknown): ShoalError {
    const server = this.#nc.getServer();
    const why = messageOf(cause);
    const remedy =
      codeOf(cause) === ErrorCode.PermissionsViolation
        ? `allow the user of this host to publish to $JS.API.> and $KV.${this.#name}.>`
        : 'try again once most of the NATS servers are up';
    return new ShoalError(
      'PARAMS_UNAVAILABLE',
      `The bucket ${this.#name} of the NATS server at ${server} cannot be used (${why}): nothing was changed, and the hosts go on with ` +
        `the parameters that they have; ${remedy}`,
      { cause, details: { bucket: this.#name, server } },
    );
  }
}

/** A mark of a deletion has a header and no bytes. */
function bytesOf(entry: StoredMsg): Uint8Array | undefined {
  return entry.data.length === 0 ? undefined : entry.data;
}

/** Undefined for what others have written, such as `nats kv put`: that counts. */
function baseOf(entry: StoredMsg): number | undefined {
  const said = entry.header.get(BASE);
  return /^\d{1,15}$/.test(said) ? Number(said) : undefined;
}

function isWithout(error: unknown): boolean {
  const number = numberOf(error);
  // JetStream's own "temporarily unavailable" has the code of "no responders".
  if (number !== undefined) return NOT_ENABLED.has(number);
  const code = codeOf(error);
  return code === ErrorCode.NoResponders || code === ErrorCode.PermissionsViolation;
}

/** The number of an error of JetStream; undefined for any other error. */
function numberOf(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}
