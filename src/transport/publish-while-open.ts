import { ErrorCode, type NatsConnection } from 'nats';
import { codeOf } from '../errors.ts';

const ENDED: ReadonlySet<unknown> = new Set([ErrorCode.ConnectionClosed, ErrorCode.ConnectionDraining]);

/**
 * Publishes to whoever may listen. While the connection is lost, nats.js keeps the message; on one that has been closed, or is being
 * closed, nobody is told any more.
 */
export function publishWhileOpen(nc: Pick<NatsConnection, 'publish'>, subject: string, data?: string): void {
  try {
    nc.publish(subject, data);
  } catch (error) {
    if (!ENDED.has(codeOf(error))) throw error;
  }
}
