import { ErrorCode, type JetStreamManager, type NatsConnection, NatsError, type StoredMsg } from 'nats';
import { codeOf, ShoalError } from '../errors.ts';
import { FLEET_PARAMS_BYTES_MAX } from './fleet-params-text.ts';
import type { BucketState, ParamsBucket } from './params-bucket.ts';

const KEY = 'params';
/** Earlier values, for people: `nats kv history`. */
const HISTORY = 16;
const REPLICAS = 3;
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
 */
class NatsParamsBucket implements ParamsBucket {
  readonly #nc: NatsConnection;
  readonly #name: string;
  readonly #subject: string;
  readonly #stream: string;
  readonly #timeoutMs: number;
  /** A server that had JetStream once is a server whose JetStream is away, and not one without. */
  #wasThere = false;

  constructor(nc: NatsConnection, name: string, timeoutMs: number) {
    this.#nc = nc;
    this.#name = name;
    this.#stream = `KV_${name}`;
    this.#subject = `$KV.${name}.${KEY}`;
    this.#timeoutMs = timeoutMs;
  }

  async read(): Promise<BucketState> {
    try {
      return this.#there(await this.#read());
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
    try {
      await this.#nc
        .jetstream({ timeout: this.#timeoutMs })
        .publish(this.#subject, bytes, { expect: { streamName: this.#stream, lastSubjectSequence: revision } });
      return 'written';
    } catch (cause) {
      const number = numberOf(cause);
      if (number === WRONG_LAST_SEQUENCE) return 'conflict';
      const code = codeOf(cause);
      const isRefused = code === ErrorCode.NoResponders || code === ErrorCode.PermissionsViolation;
      // Nobody was there to take it, or a server says no: it was not written. After anything else it may have been.
      if (number !== undefined || isRefused) throw this.#away(cause);
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
    // A mark of a deletion has a header and no bytes.
    return { kind: 'open', revision: entry.seq, bytes: entry.data.length === 0 ? undefined : entry.data };
  }

  #manager(): Promise<JetStreamManager> {
    return this.#nc.jetstreamManager({ timeout: this.#timeoutMs, checkAPI: false });
  }

  async #make(): Promise<void> {
    try {
      await this.#makeWith(REPLICAS);
    } catch (error) {
      if (!MAY_BE_SMALLER.has(numberOf(error) ?? 0)) throw error;
      await this.#makeWith(1);
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
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ShoalError(
      'PARAMS_UNAVAILABLE',
      `The bucket ${this.#name} of the NATS server at ${server} cannot be used (${why}): nothing was changed, and the hosts go on with ` +
        'the parameters that they have; try again once most of the NATS servers are up',
      { cause, details: { bucket: this.#name, server } },
    );
  }
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
