import type { Msg } from 'nats';

/** Status of the NATS server's own message for a subject without subscribers. */
export const NO_RESPONDERS = 503;

/** Whether the server says that nobody listens. */
export function isNobody(message: Msg): boolean {
  // Malformed headers throw, and nats.js stops reading when a callback throws.
  try {
    return message.headers?.code === NO_RESPONDERS && message.data.length === 0;
  } catch {
    return false;
  }
}
