import { isContentType, type Outcome, type VmId } from '../fleet/mod.ts';
import { EncodedHeaders } from './encoded-headers.ts';
import { headerText } from './quote.ts';
import { CONTENT_TYPE_HEADER } from './request-headers.ts';

/** The headers of a reply (DESIGN section 7). */
export const VM_HEADER = 'Shoal-Vm';
export const HOST_HEADER = 'Shoal-Host';
/** Of an error reply: one of the closed set of end reasons. A reply without an error has none, and its reason is `replied`. */
export const REASON_HEADER = 'Shoal-Reason';
/** The error headers of NATS services (ADR-32). */
export const ERROR_HEADER = 'Nats-Service-Error';
export const ERROR_CODE_HEADER = 'Nats-Service-Error-Code';

/** Readers of replies apply these limits as well, since anybody may have sent the reply. */
export const HOST_CHARS_MAX = 255;
export const MESSAGE_CHARS_MAX = 1_024;
/** VM ids are never reused, so entries of ended VMs pile up; at this size the cache is cleared. */
const CACHED_MAX = 1_024;

type ErrorReply = Omit<Extract<Outcome, { ok: false }>, 'ok'>;

interface Cached {
  readonly host: string;
  readonly contentType: string | undefined;
  readonly headers: EncodedHeaders;
}

/** The headers of replies, encoded once per VM. */
export class ReplyHeaders {
  readonly #cached = new Map<VmId, Cached>();

  of(vm: VmId, host: string, contentType?: string): EncodedHeaders {
    const cached = this.#cached.get(vm);
    if (cached !== undefined && cached.host === host && cached.contentType === contentType) return cached.headers;
    if (this.#cached.size >= CACHED_MAX) this.#cached.clear();
    const lines = originLines(vm, host);
    // Another host may have told it: it must not write headers of its own.
    if (contentType !== undefined && isContentType(contentType)) lines.push(`${CONTENT_TYPE_HEADER}: ${contentType}`);
    const headers = new EncodedHeaders(lines);
    this.#cached.set(vm, { host, contentType, headers });
    return headers;
  }
}

/** The headers of an error reply. */
export function errorHeaders({ status, reason, message, vm, host }: ErrorReply): EncodedHeaders {
  return new EncodedHeaders([
    `${ERROR_HEADER}: ${headerText(message, MESSAGE_CHARS_MAX)}`,
    `${ERROR_CODE_HEADER}: ${status}`,
    `${REASON_HEADER}: ${reason}`,
    ...originLines(vm, host),
  ]);
}

function originLines(vm: VmId | undefined, host: string | undefined): string[] {
  const lines: string[] = [];
  if (vm !== undefined) lines.push(`${VM_HEADER}: ${vm}`);
  if (host !== undefined) lines.push(`${HOST_HEADER}: ${headerText(host, HOST_CHARS_MAX)}`);
  return lines;
}
