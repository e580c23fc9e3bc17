// A module as Node's own WebAssembly runs it, by the interface of docs/wasm-services.md: what a guest's answers are compared with.

/** What V8 says at a trap, and what a guest calls it; V8 tells some apart no further. */
const traps = [
  [/^unreachable$/, ['unreachable']],
  [/^memory access out of bounds$/, ['out of bounds']],
  [/^table index is out of bounds$/, ['out of bounds', 'invalid indirect call']],
  [/^(divide|remainder) by zero$/, ['integer divide by zero']],
  [/^divide result unrepresentable$/, ['integer overflow']],
  [/^float unrepresentable in integer range$/, ['integer overflow', 'invalid conversion to integer']],
  [/^Maximum call stack size exceeded$/, ['call stack exhausted']],
  [/^null function or function signature/, ['invalid indirect call']],
];

function trapAnswers({ message }) {
  const names = traps.find(([pattern]) => pattern.test(message))?.[1] ?? [message];
  return names.map((name) => `500 the module trapped: ${name}`);
}

export class InNode {
  #module;

  constructor(bytes) {
    this.#module = new WebAssembly.Module(bytes);
  }

  instance(imports = {}) {
    return new WebAssembly.Instance(this.#module, imports);
  }

  /** One request to a fresh instance: the answers that a guest may give. */
  ask(operation, text) {
    let failure;
    const instance = this.instance({
      shoal: {
        fail: (code, at, size) => {
          failure ??= `${code} ${Buffer.from(memory(at, size)).toString()}`;
        },
      },
    });
    const { exports } = instance;
    const memory = (at, size) => new Uint8Array(exports.memory.buffer, at >>> 0, size >>> 0);
    const bytes = Buffer.from(text);
    try {
      const at = exports.shoal_alloc(bytes.length);
      memory(at, bytes.length).set(bytes);
      const result = BigInt.asUintN(64, exports[`shoal_op_${operation}`](at, bytes.length));
      if (failure !== undefined) return [failure];
      return [Buffer.from(memory(Number(result >> 32n), Number(result & 0xffffffffn))).toString()];
    } catch (error) {
      if (failure !== undefined) return [failure];
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
      return trapAnswers(error);
    }
  }
}
