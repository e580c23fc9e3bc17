import { fileURLToPath } from 'node:url';
import { openService, type Runner, type ServiceFacts } from '../../bundle/mod.ts';
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
  /** What it has written to its console, oldest first; the latest 1000 texts. */
  readonly log: readonly string[];
  /**
   * Sends a request and resolves with the text of its reply.
   * @throws ServiceError with the status and the message that a client would get
   */
  call(operation: string, text: string, request?: CallOptions): Promise<string>;
  /** As `call`, for any bytes. */
  callBytes(operation: string, bytes: Uint8Array, request?: CallOptions): Promise<Uint8Array>;
}

export interface CallOptions {
  /** As a client names it. */
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
  return new RunningService(service.facts, runner, log);
}

class RunningService implements LoadedService {
  readonly operations: readonly string[];
  readonly idempotent: boolean;
  readonly state: ServiceFacts['state'];
  readonly payload: ServiceFacts['payload'];
  readonly log: readonly string[];
  readonly #runner: Runner;

  constructor({ operations, idempotent, state, payload }: ServiceFacts, runner: Runner, log: readonly string[]) {
    this.operations = operations;
    this.idempotent = idempotent;
    this.state = state;
    this.payload = payload;
    this.log = log;
    this.#runner = runner;
  }

  async call(operation: string, text: string, request: CallOptions = {}): Promise<string> {
    const reply = this.#answer(operation, text, request);
    return typeof reply === 'string' ? reply : new TextDecoder().decode(reply);
  }

  async callBytes(operation: string, bytes: Uint8Array, request: CallOptions = {}): Promise<Uint8Array> {
    const reply = this.#answer(operation, bytes, request);
    return typeof reply === 'string' ? new TextEncoder().encode(reply) : reply;
  }

  #answer(operation: string, input: string | Uint8Array, { contentType }: CallOptions): string | Uint8Array {
    if (!this.operations.includes(operation)) {
      const known = this.operations.join(', ');
      throw new ServiceError(404, `the service has no operation ${JSON.stringify(operation)}; it has ${known}`);
    }
    const outcome = this.#runner.request(operation, this.#input(input), contentType);
    if (outcome.ok) return outcome.reply;
    throw new ServiceError(outcome.status, outcome.message);
  }

  /** As a guest gives it to the operation. */
  #input(input: string | Uint8Array): string | Uint8Array {
    if (this.payload === 'bytes') return typeof input === 'string' ? new TextEncoder().encode(input) : input;
    if (typeof input === 'string') return input;
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
