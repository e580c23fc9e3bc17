import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { guestFile } from '../guest-files.ts';
import type { ServiceFacts } from './check-exports.ts';
import { DESCRIBE, type Description, descriptionOf } from './describe.ts';
import { CutOff, Engine, type EngineState, ScriptError, type Value } from './engine.ts';

/** The names of scripts in the stacks of their errors. */
export const SCRIPT_NAME = 'service.js';

export interface RunnerOptions {
  /** How long the script, or a request, may compute. */
  readonly limitMs: number;
  /** How much memory it has; default: that of a VM of 32 MiB. */
  readonly memoryBytes?: number;
  /** Gets each text that the script writes to its console. It may have several lines. */
  readonly onLog: (text: string) => void;
}

export type Outcome =
  /** `contentType`: what the operation named; undefined if it named none. */
  | { readonly ok: true; readonly reply: string | Uint8Array; readonly contentType: string | undefined }
  /** `status`: as the client gets it. */
  | { readonly ok: false; readonly status: number; readonly message: string };

/** As the guest has them: `includeos/engine/README.md`. */
const STACK_BYTES = 262_144;
/** What a script has in a VM of 32 MiB. */
const MEMORY_BYTES = 18 * 1024 * 1024;
const PAGE_BYTES = 4_096;
/** Of one call of the console. */
const LOG_BYTES_MAX = 4_096;
export const OUT_OF_MEMORY = 'InternalError: out of memory';
/** What is thrown where there is no memory for that. */
const NO_MEMORY_FOR_IT = 'null';
/** Of a request and of a reply, as a fleet has it. */
const TEXT_BYTES_MAX = 1024 * 1024;
const TOO_LARGE = 'the operation takes more memory than this service has';

/** A service in the engine of the VMs, driven as the guest drives it. */
export class Runner {
  readonly #engine: Engine;
  readonly #limitMs: number;
  /** An object of functions. */
  readonly #prelude: Value;
  #loaded: EngineState | undefined;
  #isKept = false;

  /**
   * Runs a script once.
   * @throws ScriptError if it throws; CutOff if it does not end
   */
  constructor(script: string, { limitMs, onLog, memoryBytes = MEMORY_BYTES }: RunnerOptions) {
    this.#limitMs = limitMs;
    const engine = new Engine({
      ...{ stackBytes: STACK_BYTES, memoryBytes },
      onHost: ([what, text = '']) => {
        if (what === 'seed') return randomInt(2 ** 32) * 2 ** 21 + randomInt(2 ** 21);
        if (what === 'log') onLog(logged(text));
        return undefined;
      },
    });
    this.#engine = engine;
    this.#prelude = engine.call(engine.evaluate(prelude(), 'prelude.js'), [engine.hostFunction()]);
    engine.within(limitMs, () => {
      engine.free(engine.evaluate(script, SCRIPT_NAME));
      const exception = engine.runJobs();
      if (exception !== undefined) throw engine.errorOf(exception);
      this.#tellRejections(undefined);
    });
  }

  /** What the script exports; undefined if it keeps that from being told. @throws ScriptError, CutOff */
  describe(): Description | undefined {
    const engine = this.#engine;
    return descriptionOf(engine.within(this.#limitMs, () => engine.text(engine.evaluate(DESCRIBE, 'describe.js'))));
  }

  /** From now on it answers requests. @returns why the guest would not take the service; empty if it does */
  load({ operations, payload, state }: ServiceFacts): string {
    const engine = this.#engine;
    const why = engine.within(this.#limitMs, () => {
      const checked = engine.text(this.#step('load', engine.made(operations.join(',')), engine.made(payload)));
      this.#tellRejections(undefined);
      return checked;
    });
    this.#isKept = state === 'kept';
    this.#loaded = engine.state();
    return why;
  }

  /** What the loaded service takes in a VM: its memory, and a copy of all that is not zero, to begin each request with. */
  loadedBytes(): number {
    const { memory } = this.#loaded ?? this.#engine.state();
    let bytes = memory.length;
    const zeros = new Uint8Array(PAGE_BYTES);
    for (let at = 0; at < memory.length; at += PAGE_BYTES) {
      if (Buffer.compare(memory.subarray(at, at + PAGE_BYTES), zeros) !== 0) bytes += PAGE_BYTES;
    }
    return bytes;
  }

  /** Answers a request. Each finds the service as `load` has left it, unless its state is kept. */
  request(operation: string, input: string | Uint8Array, contentType: string | undefined): Outcome {
    if (bytesOf(input) > TEXT_BYTES_MAX) return tooLong('text');
    const engine = this.#engine;
    const back = (): void => {
      if (this.#loaded !== undefined) engine.restore(this.#loaded);
    };
    let outcome: Outcome;
    try {
      outcome = engine.within(this.#limitMs, () => this.#answer(operation, input, contentType));
    } catch (error) {
      back();
      if (error instanceof CutOff)
        return { ok: false, status: 504, message: `the operation takes too long: ${error.message}` };
      if (!(error instanceof ScriptError)) throw error;
      const isMemory = error.message === OUT_OF_MEMORY || error.message === NO_MEMORY_FOR_IT;
      return { ok: false, status: isMemory ? 413 : 400, message: isMemory ? TOO_LARGE : error.message };
    }
    if (!this.#isKept) back();
    return outcome.ok && bytesOf(outcome.reply) > TEXT_BYTES_MAX ? tooLong('reply') : outcome;
  }

  #tellRejections(operation: string | undefined): void {
    const engine = this.#engine;
    for (const reason of engine.takeRejections()) engine.free(this.#step('rejected', engine.made(operation), reason));
  }

  #answer(operation: string, input: string | Uint8Array, contentType: string | undefined): Outcome {
    const engine = this.#engine;
    // Those of the request before, which came while its log was written.
    for (const reason of engine.takeRejections()) engine.free(reason);
    const name = (): Value => engine.made(operation);
    const context = this.#step('contextOf', name(), engine.made(contentType));
    const target = this.#step('operation', name());
    const ended = engine.tryCall(target, this.#step('owner'), [engine.made(input), context]);
    const reply = ended.ok && engine.isText(ended.value) ? ended.value : undefined;
    /** The prelude's, if it takes more than this text. */
    let outcome = ended.ok && reply === undefined ? this.#step('follow', name(), ended.value) : undefined;
    let exception = ended.ok ? engine.runJobs() : ended.exception;
    for (; exception !== undefined; exception = engine.runJobs()) {
      if (engine.isLackOfMemory(exception)) throw engine.errorOf(exception);
      outcome = this.#step('failed', outcome ?? engine.made(undefined), name(), exception);
    }
    this.#tellRejections(operation);
    if (outcome === undefined && reply !== undefined)
      return { ok: true, reply: engine.text(reply), contentType: undefined };
    if (reply !== undefined) engine.free(reply);
    return this.#told(outcome ?? engine.made(undefined));
  }

  /** @param outcome the prelude's, of a request whose jobs are done; frees it */
  #told(outcome: Value): Outcome {
    const engine = this.#engine;
    const part = (name: string): Value => this.#step(name, engine.copy(outcome));
    const code = engine.number(part('finish'));
    const result = part('result');
    const contentType = engine.text(part('contentType'));
    engine.free(outcome);
    if (code !== 0 && code !== 1) {
      const message = engine.text(result);
      if (code === 400 && message === NO_MEMORY_FOR_IT && engine.wasFull()) throw new ScriptError(message, '');
      return { ok: false, status: code, message };
    }
    const reply = code === 1 ? engine.bytes(result) : engine.text(result);
    return { ok: true, reply, contentType: contentType === '' ? undefined : contentType };
  }

  /** Calls a function of the prelude; frees the arguments. @throws ScriptError for want of memory */
  #step(name: string, ...values: readonly Value[]): Value {
    const engine = this.#engine;
    const step = engine.property(this.#prelude, name);
    const result = engine.call(step, values);
    engine.free(step);
    return result;
  }
}

const bytesOf = (payload: string | Uint8Array): number => Buffer.byteLength(payload);

/** As much of it as a guest prints, in whole characters. */
function logged(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= LOG_BYTES_MAX) return text;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, LOG_BYTES_MAX), { stream: true });
}

function tooLong(what: string): Outcome {
  return { ok: false, status: 413, message: `the ${what} is longer than ${TEXT_BYTES_MAX} bytes` };
}

function prelude(): string {
  return readFileSync(guestFile('prelude.js', 'engine/prelude.js'), 'utf8');
}
