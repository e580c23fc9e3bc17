import type { RequestStatus } from '../../fleet/mod.ts';
import { printable } from '../console/printable.ts';

const STATUSES: readonly RequestStatus[] = [400, 404, 413, 499, 501, 502, 503, 504];
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
  return { status: statusOf(Number(match[1])), message: printable(match[2] ?? '') };
}

/** What Shoal passes on of a guest's code. */
export function statusOf(code: number): RequestStatus {
  return STATUSES.find((known) => known === code) ?? (code < 500 ? 400 : 502);
}
