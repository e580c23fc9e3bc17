import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpConnection } from '../link/http/http-connection.ts';
import { postHead } from '../link/http/request-head.ts';
import type { GuestConnection } from '../port.ts';
import { isWell, probesOf } from '../profile/probes.ts';
import type { ImageProfile } from '../profile/profile.ts';
import { httpProbe } from '../vm/probe.ts';

export interface Answer {
  /** 200 for a reply, else the code of the error. */
  readonly status: number;
  readonly payload: Uint8Array;
  /** Whether the token came back; undefined where there are none. */
  readonly hasToken?: boolean;
}

/** Asks the guest of a check, in its protocol. */
export interface Asker {
  /** @throws LINK_LOST */
  ping(timeoutMs: number): Promise<void>;
  /** @throws LINK_LOST */
  ask(operation: string, payload: Uint8Array, timeoutMs: number): Promise<Answer>;
  /** Sends a request and gives it up; undefined where that cannot be told. @throws LINK_LOST */
  readonly cancelled?: (operation: string, payload: Uint8Array, timeoutMs: number) => Promise<Answer>;
  close(): void;
}

/** @throws LINK_LOST if the guest does not answer in time */
export async function openAsker(
  profile: ImageProfile,
  connect: () => GuestConnection,
  timeoutMs: number,
  clock: Clock,
): Promise<Asker> {
  if (profile.protocol === 'frames') return framesAsker(await GuestClient.open(connect(), timeoutMs, clock));
  const asker = httpAsker(profile, connect, clock);
  await asker.ping(timeoutMs);
  return asker;
}

const TOKEN = Buffer.from('shoal image check');

function framesAsker(client: GuestClient): Asker {
  const answerOf = async (asked: ReturnType<GuestClient['ask']>): Promise<Answer> => {
    const { ok, payload, token } = await asked;
    const status = ok ? 200 : Number(/^(\d{3})(?: |$)/.exec(Buffer.from(payload).toString('latin1', 0, 4))?.[1] ?? 502);
    return { status, payload, hasToken: TOKEN.equals(token) };
  };
  return {
    ping: (timeoutMs) => client.ping(timeoutMs),
    ask: (operation, payload, timeoutMs) => answerOf(client.ask(operation, payload, timeoutMs, TOKEN)),
    cancelled: (operation, payload, timeoutMs) =>
      answerOf(client.askAndCancel(operation, payload, timeoutMs, Buffer.from('shoal image check, cancelled'))),
    close: () => client.close(),
  };
}

function httpAsker(profile: ImageProfile, connect: () => GuestConnection, clock: Clock): Asker {
  const { liveness } = probesOf(profile);
  return {
    ping(timeoutMs) {
      const probe = httpProbe(connect, clock, (status) => isWell(profile, status));
      return new Promise((resolve, reject) => {
        probe.run({ ...liveness, timeoutMs }, (isAnswered) => {
          probe.close();
          if (isAnswered) resolve();
          else reject(lost(`GET ${liveness.path} was not answered within ${timeoutMs} ms, or not with 2xx`));
        });
      });
    },
    ask: (operation, payload, timeoutMs) => post(connect(), operation, payload, timeoutMs, clock),
    close: () => undefined,
  };
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;

function post(
  to: GuestConnection,
  operation: string,
  payload: Uint8Array,
  timeoutMs: number,
  clock: Clock,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (work: () => void): void => {
      cancel();
      connection.close();
      work();
    };
    const cancel = clock.timer(timeoutMs, () => settle(() => reject(lost(`no answer within ${timeoutMs} ms`))));
    const connection: HttpConnection = new HttpConnection(
      to,
      BODY_BYTES_MAX,
      {
        opened: (one) => one.send(postHead(operation, 'text/plain; charset=utf-8', payload.length, {}, clock), payload),
        answered: (_, { status, body }) =>
          settle(() => resolve({ status: status < 300 ? 200 : status, payload: Buffer.from(body) })),
        ended: (_, why) => settle(() => reject(lost(why))),
      },
      (error) => settle(() => reject(error)),
    );
  });
}

export function lost(why: string): ShoalError {
  return new ShoalError('LINK_LOST', `The connection to the guest was lost: ${why}`, { details: { why } });
}
