import type { Clock } from '../../../actors/mod.ts';

/** What a guest is told beside a text. */
export interface RequestFacts {
  /** The client's id of the request, which a repeat has as well. */
  readonly requestId?: string | undefined;
  /** Monotonic milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** Headers that say whose request it is and how long somebody waits for its answer. */
export const REQUEST_ID_HEADER = 'shoal-request-id';
export const DEADLINE_HEADER = 'shoal-deadline-ms';

/** A client chooses its id: no other may become part of a head. */
const SAFE_ID = /^[\x21-\x7e]{1,128}$/;
const CRLF = '\r\n';

/** The head of `POST /OPERATION`. Operations have no characters that a path would have to escape. */
export function postHead(
  operation: string,
  contentType: string,
  bodyBytes: number,
  { requestId, deadlineMs }: RequestFacts,
  clock: Clock,
): string {
  let head = `POST /${operation} HTTP/1.1\r\nhost: shoal\r\ncontent-type: ${contentType}\r\ncontent-length: ${bodyBytes}\r\n`;
  if (requestId !== undefined && SAFE_ID.test(requestId)) head += `${REQUEST_ID_HEADER}: ${requestId}\r\n`;
  if (deadlineMs !== undefined) {
    head += `${DEADLINE_HEADER}: ${Math.max(0, Math.round(deadlineMs - clock.monotonic()))}\r\n`;
  }
  return head + CRLF;
}

/** The head, and all, of a probe. @param path begins with `/` and has no blanks */
export function probeHead(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: shoal\r\n\r\n`;
}
