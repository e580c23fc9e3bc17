import vm from 'node:vm';
import { isRecord } from '../is-record.ts';
import { type EngineExports, instantiateEngine, PAGE_BYTES } from './engine-module.ts';

/** What a script threw. */
export class ScriptError extends Error {
  /** `at NAME (FILE:LINE:COLUMN)`, a line each, as the engine tells it; empty if a value was thrown that is no error. */
  readonly scriptStack: string;

  constructor(message: string, scriptStack: string) {
    super(message);
    this.scriptStack = scriptStack;
  }
}

/** A script that was cut off. The engine cannot go on from there, but from a state that was kept. */
export class CutOff extends Error {}

export interface EngineOptions {
  readonly stackBytes: number;
  readonly memoryBytes: number;
  /** Called with the texts that the script gives to its host function, which returns what this returns. */
  readonly onHost: (texts: readonly string[]) => number | undefined;
}

/** All that the engine is at a moment. */
export interface EngineState {
  readonly memory: Uint8Array;
  readonly stackPointer: number;
}

/** What a call came to. */
export type Called = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly exception: Value };

/** A value of the engine. It belongs to whoever has it, who frees it. */
export type Value = number;

const CALL = new vm.Script('work()');
/** As V8 says it; the engine says the same of its scripts. */
export const STACK_EXHAUSTED = 'Maximum call stack size exceeded';

/** Rejections that are kept to be told; the guest keeps as many. */
const REJECTED_MAX = 8;

/** The engine of the VMs, in this process. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #bornNs = process.hrtime.bigint();
  #at: EngineExports;
  #rejected: { readonly promise: Value; readonly reason: Value }[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#at = this.#instance();
    this.#at.qjs_init();
    this.#at.qjs_set_max_stack_size(options.stackBytes);
    this.#at.qjs_set_memory_limit(options.memoryBytes);
    this.#at.qjs_set_promise_rejection_handler(1);
  }

  /**
   * Does something with the engine that a script may keep from ever ending.
   * @throws CutOff after so many milliseconds
   */
  within<T>(limitMs: number, work: () => T): T {
    // Only what Node's vm module runs can be cut off, with all that it calls.
    const call = vm.createContext({ work });
    try {
      // What it returns is what the function returns.
      return CALL.runInContext(call, { timeout: limitMs }) as T;
    } catch (error) {
      // It is an error of the context, and none of this one's `Error`.
      if (isRecord(error) && error['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
        throw new CutOff(`it was cut off after ${limitMs} ms`);
      }
      // How deep the engine's own code may go is for its host to say, here and in a guest.
      if (isRecord(error) && error['message'] === STACK_EXHAUSTED) throw new ScriptError(STACK_EXHAUSTED, '');
      throw error;
    }
  }

  /** @throws ScriptError */
  evaluate(code: string, name: string): Value {
    const [text, file] = [this.#put(code), this.#put(name)];
    const value = this.#at.qjs_eval(text.at, text.bytes, file.at, 0);
    this.#at.wasm_free(text.at);
    this.#at.wasm_free(file.at);
    return this.#checked(value);
  }

  /** Calls a function; frees the arguments. @throws ScriptError */
  call(target: Value, values: readonly Value[]): Value {
    return this.#checked(this.#call(target, this.#at.qjs_get_undefined(), values));
  }

  /** As `call`, with a `this`, which it frees as well, and the function; tells what was thrown. */
  tryCall(target: Value, self: Value, values: readonly Value[]): Called {
    const value = this.#call(target, self, values);
    this.free(target);
    if (this.#at.qjs_is_exception(value) === 0) return { ok: true, value };
    this.free(value);
    return { ok: false, exception: this.#at.qjs_get_exception() };
  }

  /** @throws ScriptError for want of memory */
  made(value: string | number | Uint8Array | undefined): Value {
    if (value === undefined) return this.#at.qjs_get_undefined();
    if (typeof value === 'number') return this.#at.qjs_new_number(value);
    const { at, bytes } = typeof value === 'string' ? this.#put(value) : this.#putBytes(value);
    const made =
      typeof value === 'string' ? this.#at.qjs_new_string(at, bytes) : this.#at.qjs_new_uint8_array(at, bytes);
    this.#at.wasm_free(at);
    return this.#checked(made);
  }

  hostFunction(): Value {
    const name = this.#put('host');
    const value = this.#at.qjs_new_host_function(name.at, name.bytes, 1);
    this.#at.wasm_free(name.at);
    return this.#checked(value);
  }

  /** Runs what waits, such as the reactions to promises, until an exception comes out of it: that, or undefined once nothing is left. */
  runJobs(): Value | undefined {
    while (this.#at.qjs_is_job_pending() !== 0) {
      if (this.#at.qjs_execute_pending_job() < 0) return this.#at.qjs_get_exception();
    }
    return undefined;
  }

  /** Why promises were rejected whose outcome nobody has asked for; each is told once. They belong to the caller. */
  takeRejections(): readonly Value[] {
    const rejected = this.#rejected;
    this.#rejected = [];
    for (const { promise } of rejected) this.free(promise);
    return rejected.map(({ reason }) => reason);
  }

  /** An exception, for those outside of the engine. */
  errorOf(exception: Value): ScriptError {
    const stack = this.#at.qjs_is_object(exception) === 0 ? '' : this.#stackOf(exception);
    return new ScriptError(this.#shown(exception), stack);
  }

  /** Whether the engine has given up by itself, for want of memory. Nothing of the script runs to find out. */
  isLackOfMemory(exception: Value): boolean {
    if (this.#at.qjs_is_uncatchable_error(exception) !== 0) return true;
    return this.#at.qjs_is_null(exception) !== 0 && this.wasFull();
  }

  /** Whether memory has grown to its limit. Where there is none for an exception either, null is thrown, and a script can catch that. */
  wasFull(): boolean {
    return this.#at.memory.buffer.byteLength >= this.#options.memoryBytes;
  }

  /** Frees the value. */
  number(value: Value): number {
    const number = this.#at.qjs_get_float64(value);
    this.free(value);
    return number;
  }

  /** Frees the value. @throws ScriptError if it cannot be made a text, or for want of memory */
  text(value: Value): string {
    const text = this.#textOf(value);
    this.free(value);
    return text ?? this.#throw();
  }

  isText(value: Value): boolean {
    return this.#at.qjs_is_string(value) !== 0;
  }

  /** Of a Uint8Array; frees the value. */
  bytes(value: Value): Uint8Array {
    const at = this.#at.wasm_malloc(16);
    const buffer = this.#at.qjs_get_typed_array_buffer(value, at, at + 4, at + 8);
    const start = this.#at.qjs_get_array_buffer(buffer, at + 12);
    const view = new DataView(this.#at.memory.buffer);
    const [offset, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const content = Uint8Array.from(new Uint8Array(this.#at.memory.buffer, start + offset, length));
    this.#at.wasm_free(at);
    this.free(buffer);
    this.free(value);
    return content;
  }

  /** Another one of the same. */
  copy(value: Value): Value {
    return this.#at.qjs_dup_value(value);
  }

  /** @throws ScriptError */
  property(object: Value, name: string): Value {
    const { at } = this.#put(name);
    const value = this.#at.qjs_get_prop_string(object, at);
    this.#at.wasm_free(at);
    return this.#checked(value);
  }

  free(value: Value): void {
    this.#at.qjs_free_value(value);
  }

  /** The present state, to go back to. */
  state(): EngineState {
    const { memory, __stack_pointer } = this.#at;
    return { memory: new Uint8Array(memory.buffer.slice(0)), stackPointer: __stack_pointer.value };
  }

  /** Goes back to a state, also after a script was cut off. */
  restore({ memory, stackPointer }: EngineState): void {
    // Its allocator would leave out memory that it has not asked for.
    if (this.#at.memory.buffer.byteLength !== memory.length) this.#at = this.#instance();
    const missing = memory.length - this.#at.memory.buffer.byteLength;
    if (missing > 0) this.#at.memory.grow(missing / PAGE_BYTES);
    new Uint8Array(this.#at.memory.buffer).set(memory);
    this.#at.__stack_pointer.value = stackPointer;
    this.#rejected = [];
  }

  #instance(): EngineExports {
    const instance = instantiateEngine({
      call: (count, values) => {
        const view = new DataView(this.#at.memory.buffer);
        const addresses = Array.from({ length: count }, (_, index) => view.getUint32(values + 4 * index, true));
        return this.made(this.#options.onHost(addresses.map((address) => this.#shown(address))));
      },
      rejection: (promise, reason, isHandled) => this.#noteRejection(promise, reason, isHandled),
      // As in a VM, which knows no other time than that since its boot.
      nowNs: () => process.hrtime.bigint() - this.#bornNs,
    });
    instance._initialize();
    return instance;
  }

  #noteRejection(promise: Value, reason: Value, isHandled: boolean): void {
    if (!isHandled && this.#rejected.length < REJECTED_MAX) {
      this.#rejected.push({ promise, reason });
      return;
    }
    const same = this.#at.qjs_get_value_ptr(promise);
    const index = isHandled ? this.#rejected.findIndex((one) => this.#at.qjs_get_value_ptr(one.promise) === same) : -1;
    const handled = index < 0 ? [] : this.#rejected.splice(index, 1);
    for (const value of [promise, reason, ...handled.flatMap((one) => [one.promise, one.reason])]) this.free(value);
  }

  #call(target: Value, self: Value, values: readonly Value[]): Value {
    const list = this.#at.wasm_malloc(4 * values.length + 4);
    const view = new DataView(this.#at.memory.buffer);
    for (const [index, value] of values.entries()) view.setUint32(list + 4 * index, value, true);
    const result = this.#at.qjs_call(target, self, values.length, list);
    for (const value of [self, ...values]) this.free(value);
    this.#at.wasm_free(list);
    return result;
  }

  #put(text: string): { readonly at: number; readonly bytes: number } {
    return this.#putBytes(Buffer.from(text, 'utf8'));
  }

  #putBytes(content: Uint8Array): { readonly at: number; readonly bytes: number } {
    const at = this.#at.wasm_malloc(content.length + 1);
    const memory = new Uint8Array(this.#at.memory.buffer);
    memory.set(content, at);
    memory[at + content.length] = 0;
    return { at, bytes: content.length };
  }

  /** Undefined if it threw instead of becoming a text. */
  #textOf(value: Value): string | undefined {
    const at = this.#at.wasm_malloc(4);
    const text = this.#at.qjs_get_string_len(value, at);
    const bytes = new DataView(this.#at.memory.buffer).getUint32(at, true);
    this.#at.wasm_free(at);
    if (text === 0) return undefined;
    const copy = wellFormed(Buffer.from(new Uint8Array(this.#at.memory.buffer, text, bytes))).toString('utf8');
    this.#at.qjs_free_cstring(text);
    return copy;
  }

  #shown(value: Value): string {
    const text = this.#textOf(value);
    if (text === undefined) this.free(this.#at.qjs_get_exception());
    return text ?? 'a value that cannot be shown';
  }

  #checked(value: Value): Value {
    if (this.#at.qjs_is_exception(value) === 0) return value;
    this.free(value);
    return this.#throw();
  }

  #throw(): never {
    const exception = this.#at.qjs_get_exception();
    const error = this.errorOf(exception);
    this.free(exception);
    throw error;
  }

  /** Empty if there is none, or if asking for it throws. */
  #stackOf(error: Value): string {
    try {
      const stack = this.property(error, 'stack');
      if (this.isText(stack)) return this.text(stack);
      this.free(stack);
      return '';
    } catch {
      return '';
    }
  }
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Half of a surrogate pair, which a script's string may have alone, has no form in UTF-8: what the engine writes for one becomes U+FFFD. */
function wellFormed(text: Buffer): Buffer {
  for (let at = text.indexOf(0xed); at >= 0; at = text.indexOf(0xed, at + 1)) {
    if ((text[at + 1] ?? 0) >= 0xa0) REPLACEMENT.copy(text, at);
  }
  return text;
}
