/**
 * Frames of the guest contract, version 1. A header of 16 bytes, little endian: u32 length of all that follows it, u8 type, u8 length of
 * the operation, u16 length of the token, u64 id; then operation, token, payload.
 */
export const FrameType = { request: 1, reply: 2, error: 3, ping: 4, pong: 5, cancel: 6, relay: 7 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const HEADER_BYTES = 16;
export const OPERATION_BYTES_MAX = 64;
export const TOKEN_BYTES_MAX = 256;
/** As the built-in guest has it: beyond this the other side has lost the thread. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export const NO_BYTES = new Uint8Array(0);

/** The u64 id of a frame in two halves: numbers lose what is beyond 2^53, and bigints cost an allocation each. */
export interface FrameId {
  readonly low: number;
  readonly high: number;
}

/** Takes frames as they are parsed. The byte arrays may be views into what was received, and are never written to again. */
export interface FrameSink {
  frame(type: number, idLow: number, idHigh: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void;
}
