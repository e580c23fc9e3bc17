import { type RequestStatus, statusOfGuest } from '../../fleet/mod.ts';
import { printable } from '../console/printable.ts';

const MESSAGE_BYTES_MAX = 1_000;

export interface GuestError {
  readonly status: RequestStatus;
  readonly message: string;
}

/** Reads the payload of an error frame, `CODE message`. An unknown code counts as the general one of its class. */
export function parseGuestError(payload: Uint8Array): GuestError {
  const text = Buffer.from(
    payload.buffer,
    payload.byteOffset,
    Math.min(payload.byteLength, MESSAGE_BYTES_MAX),
  ).toString('utf8');
  const match = /^(\d{3})(?: (.*))?$/s.exec(text);
  if (match === null) return { status: 502, message: `the guest failed without saying how: ${printable(text)}` };
  return { status: statusOfGuest(Number(match[1])), message: printable(match[2] ?? '') };
}
