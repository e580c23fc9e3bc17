// What a Shoal service in AssemblyScript shares with its guest. Keep this file beside yours, under this name, and build with
//   asc service.ts --outFile service.wasm --optimize
// Your file re-exports `shoal_alloc`, and exports one function for each operation:
//   export { shoal_alloc, shoal_idempotent } from './shoal';
//   import { reply, textOf } from './shoal';
//   export function shoal_op_upper(at: usize, size: i32): u64 {
//     return reply(textOf(at, size).toUpperCase());
//   }

// Imported from the guest, as `shoal.fail`: the module's name is this file's.
declare function fail(code: i32, at: usize, size: i32): void;

// What the guest reads or writes must not be collected meanwhile.
let input: ArrayBuffer = new ArrayBuffer(0);
let output: ArrayBuffer = input;

/** The guest asks for room for a request. */
export function shoal_alloc(size: i32): usize {
  input = new ArrayBuffer(size);
  return changetype<usize>(input);
}

/** Export it if a request may be worked on twice, should a VM die. */
export function shoal_idempotent(): void {}

/** Export it if the module is to keep its state from one request to the next. */
export function shoal_keeps_state(): void {}

/** Export it if requests and replies are bytes, and need not be text. */
export function shoal_payload_bytes(): void {}

export function textOf(at: usize, size: i32): string {
  return String.UTF8.decodeUnsafe(at, size);
}

export function bytesOf(at: usize, size: i32): Uint8Array {
  const bytes = new Uint8Array(size);
  memory.copy(bytes.dataStart, at, size);
  return bytes;
}

/** The result of an operation. */
export function reply(text: string): u64 {
  output = String.UTF8.encode(text);
  return place(changetype<usize>(output), output.byteLength);
}

export function replyBytes(bytes: Uint8Array): u64 {
  output = bytes.buffer;
  return place(bytes.dataStart, bytes.length);
}

/** Answers with an error instead: a code from 400 to 599 and a message for people. For `return refuse(...)`. */
export function refuse(code: i32, message: string): u64 {
  const text = String.UTF8.encode(message);
  fail(code, changetype<usize>(text), text.byteLength);
  return 0;
}

function place(at: usize, size: i32): u64 {
  return (u64(at) << 32) | u64(size);
}
