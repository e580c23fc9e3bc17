import { createInbox, type Msg, type NatsConnection } from 'nats';
import { type Clock, type Random, randomHex, systemClock, systemRandom } from '../actors/mod.ts';
import { subjectsOf } from './subjects.ts';
import { TIMED_OUT, within } from './within.ts';

/** A fleet that this process may serve. While it lasts, another claim of the fleet is refused. */
export interface FleetClaim {
  release(): void;
}

export interface ClaimOptions {
  /** How long another Shoal may take to answer; default 1000. If there is none, one round trip is enough. */
  readonly waitMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

const WAIT_MS = 1_000;
const ID_BYTES = 16;
const NO_RESPONDERS = 503;
const ID = /^[0-9a-f]{32}$/;
const TAKEN = 'taken';
const MESSAGE_BYTES_MAX = 64;

/**
 * Claims a fleet on a NATS server, so that of several Shoals that start at the same moment one serves it. Each first listens for claims and
 * then makes its own: of two claims at least one is heard by the other side. A Shoal that has the fleet refuses any claim; of two that are
 * claiming it, the one with the lower random id goes on.
 * @param nc a connection with `noEcho`, on which only others are responders
 * @returns undefined if another Shoal has the fleet or gets it
 * @throws CONFIG_VALUE for an invalid fleet name
 */
export async function claimFleet(
  nc: NatsConnection,
  fleet: string,
  { waitMs = WAIT_MS, clock = systemClock, random = systemRandom }: ClaimOptions = {},
): Promise<FleetClaim | undefined> {
  const subject = subjectsOf(fleet).claim;
  const id = randomHex(random, ID_BYTES);
  const claim: { state: 'claiming' | 'ours' | 'lost' } = { state: 'claiming' };
  const decided = Promise.withResolvers<void>();
  // At once: the next message may be another's claim.
  const decide = (by: 'ours' | 'lost'): void => {
    if (claim.state === 'claiming') claim.state = by;
    decided.resolve();
  };
  const claims = nc.subscribe(subject, {
    callback: (error, message) => {
      // Anybody may publish here.
      const other = error === null ? textOf(message) : '';
      if (!ID.test(other)) return;
      if (claim.state === 'ours' || (claim.state === 'claiming' && id < other)) message.respond(TAKEN);
      else decide('lost');
    },
  });
  const inbox = createInbox();
  const answers = nc.subscribe(inbox, {
    callback: (error, message) => {
      if (error !== null || isNobody(message)) decide('ours');
      else if (textOf(message) === TAKEN) decide('lost');
    },
  });
  try {
    nc.publish(subject, id, { reply: inbox });
    // Whoever listens and does not answer stands still, and serves nobody.
    if ((await within(decided.promise, waitMs, clock)) === TIMED_OUT) decide('ours');
  } finally {
    if (!nc.isClosed()) answers.unsubscribe();
  }
  const release = (): void => {
    if (!nc.isClosed()) claims.unsubscribe();
  };
  if (claim.state === 'ours') return { release };
  release();
  return undefined;
}

function isNobody(message: Msg): boolean {
  // Malformed headers throw, and nats.js stops reading when a callback throws.
  try {
    return message.headers?.code === NO_RESPONDERS && message.data.length === 0;
  } catch {
    return false;
  }
}

function textOf(message: Msg): string {
  return message.data.length > MESSAGE_BYTES_MAX ? '' : Buffer.from(message.data).toString('latin1');
}
