import type { NatsConnection } from 'nats';
import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { TIMED_OUT, within } from './within.ts';

const TIMEOUT_MS = 5_000;

/**
 * Resolves once the server has read all subscriptions that were made on this connection. It reports a refused one before.
 * @throws NATS_UNREACHABLE if it is lost, or takes longer than 5 s
 */
export async function confirmSubscription(nc: NatsConnection, subject: string, clock: Clock): Promise<void> {
  const flushed = await within(nc.flush(), TIMEOUT_MS, clock).catch((cause: unknown) => {
    throw new ShoalError('NATS_UNREACHABLE', `The NATS server was lost while subscribing to ${subject}`, { cause });
  });
  if (flushed !== TIMED_OUT) return;
  const why = `did not confirm the subscription to ${subject} within ${TIMEOUT_MS} ms`;
  throw new ShoalError('NATS_UNREACHABLE', `The NATS server at ${nc.getServer()} ${why}`);
}
