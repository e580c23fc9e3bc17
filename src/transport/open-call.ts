import { createInbox, ErrorCode, headers, type Msg, type MsgHdrs, type NatsConnection } from 'nats';
import { codeOf } from '../errors.ts';
import { publishWhileOpen } from './publish-while-open.ts';
import { isReplySubject } from './reply-subject.ts';

/** Names the subject on which a caller says, as long as it waits, that it does. */
const HEADER = 'Shoal-Caller';
/** Below the time for which callers wait. */
const ASK_MS = 2_000;
const NOBODY_WAITS: ReadonlySet<unknown> = new Set([ErrorCode.NoResponders, ErrorCode.Timeout]);

/** A call for which its caller waits. */
export interface OpenCall {
  /** Of the call. */
  readonly headers: MsgHdrs;
  /** The caller does not wait any more: who takes the call from now on, does nothing. */
  close(): void;
}

/** To be made before the call is published, and over the same connection. */
export function openCall(nc: NatsConnection): OpenCall {
  const subject = createInbox();
  const questions = nc.subscribe(subject, {
    callback: (error, { reply = '' }) => {
      if (error === null && isReplySubject(reply)) publishWhileOpen(nc, reply);
    },
  });
  const of = headers();
  of.set(HEADER, subject);
  return {
    headers: of,
    close: () => {
      if (!nc.isClosed()) questions.unsubscribe();
    },
  };
}

/**
 * Whether the caller still waits. A call stays where it is while a host stands still or is cut off, or while the NATS server stands still,
 * and nobody expects its effect any more when it comes. A caller that cannot be asked is taken to wait.
 */
export async function isWaitedFor(nc: NatsConnection, call: Msg): Promise<boolean> {
  const subject = callerOf(call);
  if (subject === undefined) return true;
  try {
    await nc.request(subject, undefined, { timeout: ASK_MS });
    return true;
  } catch (error) {
    return !NOBODY_WAITS.has(codeOf(error));
  }
}

function callerOf(call: Msg): string | undefined {
  let subject: string;
  try {
    subject = call.headers?.get(HEADER) ?? '';
  } catch {
    // Malformed headers throw.
    return undefined;
  }
  return isReplySubject(subject) ? subject : undefined;
}
