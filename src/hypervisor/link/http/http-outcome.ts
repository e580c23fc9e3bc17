import { statusOfGuest } from '../../../fleet/mod.ts';
import { printable } from '../../console/printable.ts';
import type { GuestError } from '../guest-error.ts';
import type { HttpResponse } from './response-parser.ts';

const MESSAGE_BYTES_MAX = 1_000;
const BUSY = new Set([429, 503]);

export function isReply({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

/** What a response means that is no reply. Its body, or else its reason, is the message. */
export function httpError({ status, reason, body }: HttpResponse): GuestError {
  if (status < 400) return { status: 502, message: `the guest answered ${status}, and Shoal follows no redirect` };
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, MESSAGE_BYTES_MAX)).toString('utf8');
  const said = printable(text.trim().replaceAll(/\s+/g, ' '));
  return { status: BUSY.has(status) ? 503 : statusOfGuest(status), message: said === '' ? printable(reason) : said };
}
