import { fileURLToPath } from 'node:url';
import { type Examined, openService, type Runner, type ServiceFacts } from '../../bundle/mod.ts';
import { TEXT_TYPE } from '../../content-type.ts';
import { ServiceError } from '../service-error.ts';

export interface LoadOptions {
  /** How long the service may compute before it is cut off; default 5000. */
  readonly limitMs?: number;
  /** Gets each text that the service writes to its console; default: `LoadedService.log` alone. */
  readonly onLog?: (text: string) => void;
}

/** A service that answers requests in this process. */
export interface LoadedService {
  /** Their names, the default one first. */
  readonly operations: readonly string[];
  readonly idempotent: boolean;
  /** `fresh`: a request does not see what the one before has left in variables. */
  readonly state: 'fresh' | 'kept';
  readonly payload: 'text' | 'bytes';
  /** What its author should know, as `shoal service build` says it; a line each. */
  readonly notes: readonly string[];
  /** What it has written to its console, oldest first; the latest 1000 texts. */
  readonly log: readonly string[];
  /**
   * Sends a request and resolves with the text of its reply.
   * @throws ServiceError with the status and the message that a client would get
   */
  call(operation: string, text: string, request?: CallOptions): Promise<string>;
  /** As `call`, for any bytes. */
  callBytes(operation: string, bytes: Uint8Array, request?: CallOptions): Promise<Uint8Array>;
  /** As `call`, for a text or bytes, and with the content type of the reply. */
  ask(operation: string, payload: string | Uint8Array, request?: CallOptions): Promise<LoadedReply>;
}

export interface LoadedReply {
  /** As the operation returned it. */
  readonly payload: string | Uint8Array;
  /** What the client is told: of a service of bytes, what the operation named, or that of a text. */
  readonly contentType: string | undefined;
}

export interface CallOptions {
  /** As a client names it; a service of text is not told of it. */
  readonly contentType?: string;
}

const LIMIT_MS = 5_000;
const LOG_MAX = 1_000;

/**
 * Loads a service in TypeScript or JavaScript.
 * @param file its path, or its URL
 * @throws SERVICE_INVALID if it cannot be used, naming file, line and remedy
 */
export async function loadService(file: string | URL, options: LoadOptions = {}): Promise<LoadedService> {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  const log: string[] = [];
  const onLog = (text: string): void => {
    log.push(text);
    if (log.length > LOG_MAX) log.shift();
    options.onLog?.(text);
  };
  const { service, runner } = await openService(path, { limitMs: options.limitMs ?? LIMIT_MS, onLog });
  return new RunningService(service, runner, log);
}

class RunningService implements LoadedService {
  readonly operations: readonly string[];
  readonly idempotent: boolean;
  readonly state: ServiceFacts['state'];
  readonly payload: ServiceFacts['payload'];
  readonly notes: readonly string[];
  readonly log: readonly string[];
  readonly #runner: Runner;

  constructor({ facts, notes }: Examined, runner: Runner, log: readonly string[]) {
    const { operations, idempotent, state, payload } = facts;
    this.notes = notes;
    this.operations = operations;
    this.idempotent = idempotent;
    this.state = state;
    this.payload = payload;
    this.log = log;
    this.#runner = runner;
  }

  async call(operation: string, text: string, request: CallOptions = {}): Promise<string> {
    const { payload } = await this.ask(operation, text, request);
    return typeof payload === 'string' ? payload : new TextDecoder().decode(payload);
  }

  async callBytes(operation: string, bytes: Uint8Array, request: CallOptions = {}): Promise<Uint8Array> {
    const { payload } = await this.ask(operation, bytes, request);
    return typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  }

  async ask(operation: string, payload: string | Uint8Array, { contentType }: CallOptions = {}): Promise<LoadedReply> {
    if (!this.operations.includes(operation)) {
      const known = this.operations.join(', ');
      throw new ServiceError(404, `the service has no operation ${JSON.stringify(operation)}; it has ${known}`);
    }
    // A guest that takes text alone is told of no content type, and names none.
    const isTyped = this.payload === 'bytes';
    const outcome = this.#runner.request(operation, this.#input(payload), isTyped ? contentType : undefined);
    if (!outcome.ok) throw new ServiceError(outcome.status, outcome.message);
    const { reply, contentType: named } = outcome;
    const typeOfText = typeof reply === 'string' && isTyped ? TEXT_TYPE : undefined;
    return { payload: reply, contentType: named ?? typeOfText };
  }

  /** As a guest gives it to the operation. */
  #input(input: string | Uint8Array): string | Uint8Array {
    if (this.payload === 'bytes') return typeof input === 'string' ? new TextEncoder().encode(input) : input;
    if (typeof input === 'string') return Buffer.from(input).toString();
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
    } catch {
      throw new ServiceError(
        400,
        "the text is no UTF-8; a service with `export const payload = 'bytes'` takes any bytes",
      );
    }
  }
}
