import { CONTENT_TYPE_CHARS_MAX } from '../../fleet/mod.ts';

/**
 * Frames of the guest contract, version 1. A header of 16 bytes, little endian: u32 length of all that follows it, u8
 * type, u8 length of the operation, u16 length of the token, u64 id; then operation, token, payload. In a typed request or reply the content
 * type stands before the payload, and its length in a byte before that; only a guest that has said `payload=bytes` is sent one.
 */
export const FrameType = {
  request: 1,
  reply: 2,
  error: 3,
  ping: 4,
  pong: 5,
  cancel: 6,
  relay: 7,
  typedRequest: 8,
  typedReply: 9,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const HEADER_BYTES = 16;
export const TOKEN_BYTES_MAX = 256;
/** A content type, and the byte with its length. */
export const TYPE_BYTES_MAX = CONTENT_TYPE_CHARS_MAX + 1;
/** The limit of the built-in guest: a longer frame means that the other side has lost its place in the stream. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export const NO_BYTES = new Uint8Array(0);

/**
 * Takes frames as they are parsed. The u64 id comes in two halves, because numbers lose bits beyond 2^53 and bigints
 * cost an allocation each. The byte arrays may be views into the bytes that were received, which are never written to
 * again.
 */
export interface FrameSink {
  frame(type: number, idLow: number, idHigh: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void;
}
