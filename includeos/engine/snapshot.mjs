// Starts the engine and its prelude once, in Node, and writes down the memory that it has then: an image begins with that, instead of
// with the engine's start, which takes milliseconds under KVM and a tenth of a second where the processor is emulated.
//   node engine/snapshot.mjs quickjs.wasm prelude.js FOLDER     writes FOLDER/snapshot.bin and FOLDER/snapshot.inc
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAX_STACK_BYTES = 256 << 10;
const PAGE_BYTES = 65536;

const [wasmFile, preludeFile, folder] = process.argv.slice(2);

let engine;
const memory = () => new DataView(engine.memory.buffer);

function write(text) {
  const bytes = new TextEncoder().encode(text);
  const at = engine.wasm_malloc(bytes.length + 1);
  new Uint8Array(engine.memory.buffer).set([...bytes, 0], at);
  return { at, size: bytes.length };
}

function check(value) {
  if (engine.qjs_is_exception(value) === 0) return value;
  const at = engine.qjs_get_string_len(engine.qjs_get_exception(), scratch);
  const size = memory().getUint32(scratch, true);
  throw new Error(new TextDecoder().decode(new Uint8Array(engine.memory.buffer, at, size)));
}

function evaluate(text, name) {
  const source = write(text);
  const file = write(name);
  const value = check(engine.qjs_eval(source.at, source.size, file.at, 0));
  engine.wasm_free(source.at);
  engine.wasm_free(file.at);
  return value;
}

function property(object, name) {
  const { at } = write(name);
  const value = check(engine.qjs_get_prop_string(object, at));
  engine.wasm_free(at);
  return value;
}

function unexpected() {
  throw new Error('the engine asked for something that a start has no use for');
}

// All that a start could see of its surroundings is the same each time, and so is what is written.
const imports = {
  env: {
    host_get_timezone_offset: () => 0,
    host_interrupt: () => 0,
    host_promise_rejection: unexpected,
    host_module_normalize: unexpected,
    host_module_load: unexpected,
    host_call: unexpected,
  },
  wasi_snapshot_preview1: {
    clock_time_get: (_clock, _precision, at) => {
      memory().setBigUint64(at, 0n, true);
      return 0;
    },
    fd_close: unexpected,
    fd_fdstat_get: unexpected,
    fd_seek: unexpected,
    fd_write: unexpected,
    random_get: (at, size) => {
      new Uint8Array(engine.memory.buffer, at, size).fill(0);
      return 0;
    },
  },
};

engine = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasmFile)), imports).exports;
engine._initialize();
if (engine.qjs_init() !== 0) throw new Error('the engine does not start');
engine.qjs_set_max_stack_size(MAX_STACK_BYTES);
engine.qjs_set_interrupt_handler(1);
engine.qjs_set_promise_rejection_handler(1);

const scratch = engine.wasm_malloc(64);
const name = write('shoal');
const host = engine.qjs_new_host_function(name.at, name.size, 0);
const prelude = evaluate(readFileSync(preludeFile, 'utf8'), 'prelude.js');
memory().setUint32(scratch, host, true);
const undefinedValue = engine.qjs_get_undefined();
const shoal = check(engine.qjs_call(prelude, undefinedValue, 1, scratch));
const names = [
  'load',
  'owner',
  'operation',
  'contextOf',
  'follow',
  'failed',
  'rejected',
  'finish',
  'result',
  'contentType',
  'describe',
];
const steps = names.map((step) => [step, property(shoal, step)]);
for (const value of [prelude, host, shoal]) engine.qjs_free_value(value);
const serviceName = write('service.js').at;
engine.qjs_run_gc();

// The stack lies below everything else, and nothing on it is in use.
const stackEnd = engine.__stack_pointer.value;
const bytes = new Uint8Array(engine.memory.buffer).subarray(stackEnd);
let size = bytes.length;
while (size > 0 && bytes[size - 1] === 0) size--;

writeFileSync(join(folder, 'snapshot.bin'), bytes.subarray(0, size));
const constants = [
  ['Pages', engine.memory.buffer.byteLength / PAGE_BYTES],
  ['StackEnd', stackEnd],
  ['Size', size],
  ['Scratch', scratch],
  ['ScratchBytes', 64],
  ['Undefined', undefinedValue],
  ['ServiceName', serviceName],
  ...steps.map(([step, value]) => [step[0].toUpperCase() + step.slice(1), value]),
];
const lines = constants.map(([constant, value]) => `constexpr uint32_t kSnapshot${constant} = ${value};\n`);
writeFileSync(join(folder, 'snapshot.inc'), `// Written by engine/snapshot.mjs.\n${lines.join('')}`);
