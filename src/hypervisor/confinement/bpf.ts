/**
 * An assembler for classic BPF, as far as a seccomp filter needs it (Linux, Documentation/networking/filter and
 * Documentation/userspace-api/seccomp_filter).
 */

/** Where to go on: a label of the program, or the instruction that follows. */
type Target = string | undefined;

export type BpfLine =
  /** A place to jump to. */
  | { readonly label: string }
  /** Loads 32 bits of the data at that offset. */
  | { readonly load: number }
  /** Compares what was loaded with a value: equal to it, at least it, or any of its bits set. */
  | { readonly jump: 'eq' | 'ge' | 'set'; readonly value: number; readonly yes?: Target; readonly no?: Target }
  /** Ends with that value. */
  | { readonly ret: number };

/** In the terms of `linux/bpf_common.h`: class, size or operation, mode or source. */
export const BPF_LOAD_WORD = 0x20;
export const BPF_JUMP = { eq: 0x15, ge: 0x35, set: 0x45 } as const;
export const BPF_RETURN = 0x06;
/** `struct sock_filter`: u16 code, u8 jt, u8 jf, u32 k. */
export const BPF_INSTRUCTION_BYTES = 8;
/** Of a jump, in instructions. */
const DISTANCE_MAX = 255;
/** BPF_MAXINSNS. */
const INSTRUCTIONS_MAX = 4_096;

/** @throws for a label that is missing, behind the jump to it, or too far away */
export function assemble(lines: readonly BpfLine[]): Buffer {
  const places = placesOf(lines);
  const instructions = lines.filter((line) => !('label' in line));
  if (instructions.length > INSTRUCTIONS_MAX) throw new Error(`${instructions.length} instructions are too many`);
  const code = Buffer.alloc(instructions.length * BPF_INSTRUCTION_BYTES);
  for (const [at, line] of instructions.entries()) {
    const distance = (target: Target): number => distanceTo(target, at, places);
    const offset = at * BPF_INSTRUCTION_BYTES;
    if ('load' in line) write(code, offset, BPF_LOAD_WORD, 0, 0, line.load);
    else if ('ret' in line) write(code, offset, BPF_RETURN, 0, 0, line.ret);
    else if ('jump' in line) {
      write(code, offset, BPF_JUMP[line.jump], distance(line.yes), distance(line.no), line.value);
    }
  }
  return code;
}

function placesOf(lines: readonly BpfLine[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let at = 0;
  for (const line of lines) {
    if (!('label' in line)) at += 1;
    else if (places.has(line.label)) throw new Error(`The label ${line.label} is there twice`);
    else places.set(line.label, at);
  }
  return places;
}

function distanceTo(target: Target, from: number, places: ReadonlyMap<string, number>): number {
  if (target === undefined) return 0;
  const distance = (places.get(target) ?? Number.NaN) - from - 1;
  if (distance >= 0 && distance <= DISTANCE_MAX) return distance;
  throw new Error(`The label ${target} cannot be reached from instruction ${from}`);
}

function write(code: Buffer, offset: number, op: number, then: number, otherwise: number, value: number): void {
  code.writeUInt16LE(op, offset);
  code.writeUInt8(then, offset + 2);
  code.writeUInt8(otherwise, offset + 3);
  code.writeUInt32LE(value >>> 0, offset + 4);
}
