import { createInbox, type Msg, type NatsConnection } from 'nats';
import { type Clock, type Random, randomHex, systemClock, systemRandom } from '../actors/mod.ts';
import { isRecord } from '../is-record.ts';
import { isNobody } from './no-responders.ts';
import { subjectsOf } from './subjects.ts';
import { TIMED_OUT, within } from './within.ts';

/** A host's name in a fleet. While `ours` lasts, another claim of the name is refused. */
export type HostClaim =
  | { readonly kind: 'ours'; release(): void }
  /** Another host has it, or gets it; `by` is what that one says of itself. */
  | { readonly kind: 'taken'; readonly by: string };

export interface ClaimOptions {
  /** What others are told of this host, at most 200 characters; default: nothing. */
  readonly about?: string;
  /** How long another host may take to answer; default 1000. If there is none, one round trip is enough. */
  readonly waitMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Of a host that claims the name, or that answers that it has it. */
interface Word {
  readonly kind: 'claim' | 'taken';
  readonly id: string;
  readonly about: string;
}

const WAIT_MS = 1_000;
const ID_BYTES = 16;
const ID = /^[0-9a-f]{32}$/;
const ABOUT = /^\P{C}{0,200}$/u;
/** More than a word takes, each of whose characters has up to four bytes. */
const MESSAGE_BYTES_MAX = 1_024;

/**
 * Claims the name of a host in a fleet, so that of several hosts of one name that start at the same moment one goes on. Each first listens
 * for claims and then makes its own: of two claims at least one is heard by the other side. A host that has the name refuses any claim; of two
 * that are claiming it, the one with the lower random id goes on. A host that stands still answers nothing, and does not keep its name: when it
 * wakes, `joinHosts` decides between the two.
 * @param nc a connection with `noEcho`, on which only others are responders
 * @throws CONFIG_VALUE for an invalid name of fleet or host
 */
export async function claimHostName(
  nc: NatsConnection,
  fleet: string,
  host: string,
  { about = '', waitMs = WAIT_MS, clock = systemClock, random = systemRandom }: ClaimOptions = {},
): Promise<HostClaim> {
  const subject = subjectsOf(fleet).claim(host);
  const id = randomHex(random, ID_BYTES);
  const claim: { state: 'claiming' | 'ours' | 'lost'; by: string } = { state: 'claiming', by: '' };
  const decided = Promise.withResolvers<void>();
  // At once: the next message may be another's claim.
  const decide = (state: 'ours' | 'lost', by = ''): void => {
    if (claim.state === 'claiming') Object.assign(claim, { state, by });
    decided.resolve();
  };
  const claims = nc.subscribe(subject, {
    callback: (error, message) => {
      // Anybody may publish here.
      const other = error === null ? wordIn(message) : undefined;
      if (other?.kind !== 'claim') return;
      if (claim.state === 'ours' || (claim.state === 'claiming' && id < other.id)) {
        message.respond(encoded({ kind: 'taken', id, about }));
      } else decide('lost', other.about);
    },
  });
  const inbox = createInbox();
  const answers = nc.subscribe(inbox, {
    callback: (error, message) => {
      if (error !== null || isNobody(message)) decide('ours');
      const other = error === null ? wordIn(message) : undefined;
      if (other?.kind === 'taken') decide('lost', other.about);
    },
  });
  try {
    nc.publish(subject, encoded({ kind: 'claim', id, about }), { reply: inbox });
    // Whoever listens and does not answer stands still, and serves nobody.
    if ((await within(decided.promise, waitMs, clock)) === TIMED_OUT) decide('ours');
  } finally {
    if (!nc.isClosed()) answers.unsubscribe();
  }
  const release = (): void => {
    if (!nc.isClosed()) claims.unsubscribe();
  };
  if (claim.state === 'ours') return { kind: 'ours', release };
  release();
  return { kind: 'taken', by: claim.by };
}

function encoded(word: Word): string {
  return JSON.stringify(word);
}

function wordIn(message: Msg): Word | undefined {
  if (message.data.length > MESSAGE_BYTES_MAX) return undefined;
  try {
    const word = message.json<unknown>();
    if (!isRecord(word)) return undefined;
    const { kind, id, about } = word;
    const isWord = (kind === 'claim' || kind === 'taken') && typeof id === 'string' && ID.test(id);
    return isWord && typeof about === 'string' && ABOUT.test(about) ? { kind, id, about } : undefined;
  } catch {
    return undefined;
  }
}
