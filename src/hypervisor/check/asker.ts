import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { splitTyped } from '../link/content-type-bytes.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpClient } from '../link/http/http-client.ts';
import { CONTENT_TYPES } from '../link/http/http-settings.ts';
import type { HttpResponse } from '../link/http/response-parser.ts';
import type { GuestConnection } from '../port.ts';
import { isWell, probesOf } from '../profile/probes.ts';
import type { ImageProfile } from '../profile/profile.ts';

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
  /** The same with a content type; undefined where that is no other frame. @throws LINK_LOST; what the answer is not, as an error */
  readonly typed?: (operation: string, contentType: string, payload: Uint8Array, timeoutMs: number) => Promise<Answer>;
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
    async typed(operation, contentType, payload, timeoutMs) {
      const answer = await client.askTyped(operation, contentType, payload, timeoutMs, TOKEN);
      if (!answer.ok) return answerOf(Promise.resolve(answer));
      if (!answer.isTyped) throw new Error('it answers a typed request with a reply without a type');
      const typed = splitTyped(answer.payload);
      if (typed === undefined) throw new Error('the content type of its reply is none');
      return answerOf(Promise.resolve({ ...answer, payload: typed.payload }));
    },
    cancelled: (operation, payload, timeoutMs) =>
      answerOf(client.askAndCancel(operation, payload, timeoutMs, Buffer.from('shoal image check, cancelled'))),
    close: () => client.close(),
  };
}

/** The answer to a request may be as long as the longest text. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Each on a connection of its own, because pings come while a request is worked on. */
function httpAsker(profile: ImageProfile, connect: () => GuestConnection, clock: Clock): Asker {
  const { path } = probesOf(profile).liveness;
  const asked = async (ask: (client: HttpClient) => Promise<HttpResponse>): Promise<HttpResponse> => {
    const client = new HttpClient(connect, BODY_BYTES_MAX, clock);
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  };
  return {
    async ping(timeoutMs) {
      const { status } = await asked((client) => client.get(path, timeoutMs));
      if (!isWell(profile, status)) throw lost(`GET ${path} was answered with ${status}`);
    },
    async ask(operation, payload, timeoutMs) {
      const type = CONTENT_TYPES[profile.payload];
      const { status, body } = await asked((client) => client.post(operation, type, payload, timeoutMs));
      return { status: status >= 200 && status < 300 ? 200 : status, payload: body };
    },
    close: () => undefined,
  };
}

function lost(why: string): ShoalError {
  return new ShoalError('LINK_LOST', `The connection to the guest was lost: ${why}`, { details: { why } });
}
