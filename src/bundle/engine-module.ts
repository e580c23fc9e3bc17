import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { wasm } from './web-assembly.ts';

/** What the engine's module offers, as far as it is used here. A value of the engine is the address of its handle. */
export interface EngineExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __stack_pointer: { value: number };
  _initialize(): void;
  qjs_init(): number;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_set_memory_limit(bytes: number): void;
  /** 1: the host is told of promises that are rejected. */
  qjs_set_promise_rejection_handler(on: number): void;
  qjs_eval(code: number, codeBytes: number, name: number, flags: number): number;
  qjs_call(target: number, self: number, count: number, values: number): number;
  qjs_new_host_function(name: number, nameBytes: number, count: number): number;
  qjs_new_string(text: number, bytes: number): number;
  qjs_new_number(value: number): number;
  qjs_new_uint8_array(data: number, bytes: number): number;
  qjs_get_undefined(): number;
  qjs_get_exception(): number;
  qjs_get_float64(value: number): number;
  qjs_get_prop_string(object: number, name: number): number;
  /** A copy that `qjs_free_cstring` frees. */
  qjs_get_string_len(value: number, bytesAt: number): number;
  qjs_free_cstring(text: number): void;
  qjs_get_typed_array_buffer(value: number, offsetAt: number, bytesAt: number, elementAt: number): number;
  qjs_get_array_buffer(value: number, bytesAt: number): number;
  qjs_is_exception(value: number): number;
  qjs_is_null(value: number): number;
  qjs_is_object(value: number): number;
  qjs_is_string(value: number): number;
  /** Whether it is an exception that no script can catch. */
  qjs_is_uncatchable_error(value: number): number;
  /** Another handle of the same. */
  qjs_dup_value(value: number): number;
  qjs_free_value(value: number): void;
  /** The same for each handle of an object. */
  qjs_get_value_ptr(value: number): number;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
  wasm_malloc(bytes: number): number;
  wasm_free(at: number): void;
}

export interface HostFunctions {
  /** A call of the one host function. @param values address of the arguments @returns a value */
  call(count: number, values: number): number;
  /** A promise was rejected while nobody had asked for its outcome, or somebody does since. Both values are the host's. */
  rejection(promise: number, reason: number, isHandled: boolean): void;
  nowNs(): bigint;
}

const EBADF = 8;
/** Of WebAssembly. */
export const PAGE_BYTES = 65_536;

let compiled: object | undefined;

/** The engine of the VMs (QuickJS), as the package that they are made from has it. It has no way to the outside but `host`. */
export function instantiateEngine(host: HostFunctions): EngineExports {
  compiled ??= new wasm.Module(readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')));
  let memory: EngineExports['memory'] | undefined;
  const refused = (): number => EBADF;
  const { exports } = new wasm.Instance(compiled, {
    env: {
      host_call: (_name: number, _bytes: number, _self: number, count: number, values: number) =>
        host.call(count, values),
      host_get_timezone_offset: () => 0,
      host_interrupt: () => 0,
      host_promise_rejection: (promise: number, reason: number, isHandled: number) =>
        host.rejection(promise, reason, isHandled !== 0),
      host_module_normalize: () => 0,
      host_module_load: () => 0,
    },
    wasi_snapshot_preview1: {
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        if (memory !== undefined) new DataView(memory.buffer).setBigUint64(at, host.nowNs(), true);
        return 0;
      },
      random_get: refused,
      fd_close: refused,
      fd_fdstat_get: refused,
      fd_seek: refused,
      fd_write: refused,
    },
  });
  // The package states these, and its version is exact.
  const engine = exports as unknown as EngineExports;
  ({ memory } = engine);
  return engine;
}
