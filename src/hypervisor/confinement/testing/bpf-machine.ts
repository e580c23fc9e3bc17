import { BPF_INSTRUCTION_BYTES, BPF_JUMP, BPF_LOAD_WORD, BPF_RETURN } from '../bpf.ts';

/** Runs a program of classic BPF, as far as `assemble` makes it. @throws if it leaves the program or reads past the data */
export function runBpf(program: Uint8Array, data: Uint8Array): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const input = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let accumulator = 0;
  // Jumps go forward only, so a program ends by itself.
  for (let at = 0; ; at += BPF_INSTRUCTION_BYTES) {
    const value = code.getUint32(at + 4, true);
    const jump = (holds: boolean): void => {
      at += code.getUint8(holds ? at + 2 : at + 3) * BPF_INSTRUCTION_BYTES;
    };
    switch (code.getUint16(at, true)) {
      case BPF_LOAD_WORD:
        accumulator = input.getUint32(value, true);
        break;
      case BPF_JUMP.eq:
        jump(accumulator === value);
        break;
      case BPF_JUMP.ge:
        jump(accumulator >= value);
        break;
      case BPF_JUMP.set:
        jump((accumulator & value) !== 0);
        break;
      case BPF_RETURN:
        return value;
      default:
        throw new Error(`There is no such instruction at ${at}`);
    }
  }
}

const X86_64 = 0xc000003e;

/** `struct seccomp_data` of a system call. */
export function seccompData(call: number, args: readonly bigint[] = [], architecture = X86_64): Uint8Array {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call >>> 0, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(value, 16 + index * 8);
  return data;
}
