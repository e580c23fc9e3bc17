import { describe, expect, test } from 'vitest';
import { createSystem } from '../actors/mod.ts';
import { callAdmin } from './admin-client.ts';
import { serveAdmin } from './admin-server.ts';
import { type Connection, connect } from './connection.ts';
import { endpoint } from './endpoint.ts';
import type { EndpointMessage, RouterRequest } from './endpoint-messages.ts';
import { processed, securedNatsServer } from './kit/mod.ts';
import type { PermissionNotice } from './permission-notices.ts';
import { TOKEN_KEY_BYTES } from './reply-token.ts';
import { createRequester } from './requester.ts';

/** Each user may do everything else. */
interface Denied {
  readonly shoal?: Permissions;
  readonly client?: Permissions;
}

interface Permissions {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** A NATS server with two users, a connection for each, and the notices of the fleet's connection. */
async function restricted({ shoal = {}, client = {} }: Denied) {
  const users = [userLine('shoal', shoal), userLine('client', client)].join(', ');
  const nats = await securedNatsServer([`authorization { users: [ ${users} ] }`]);
  const notices: PermissionNotice[] = [];
  let onNotice = (): void => undefined;
  const open = (user: string): Promise<Connection> =>
    connect({
      servers: nats.url,
      name: user,
      credentials: { user, password: 'x' },
      onForbidden: (notice) => {
        if (user === 'shoal') notices.push(notice);
        onNotice();
      },
    });
  const [server, clients] = await Promise.all([open('shoal'), open('client')]);
  const system = createSystem();
  const router = system.spawn<RouterRequest>(() => ({ request }) => {
    request.replyTo.tell(processed(request.payload));
  });
  const options = { nc: server.nc, fleet: 'f', version: '0.1.0', router, tokenKey: new Uint8Array(TOKEN_KEY_BYTES) };
  return {
    url: nats.url,
    server: server.nc,
    client: clients.nc,
    notices,
    /** The next notice that the test has not taken yet. */
    notice: async (): Promise<PermissionNotice> => {
      if (notices.length === 0) await new Promise<void>((resolve) => (onNotice = resolve));
      const notice = notices.shift();
      if (notice === undefined) throw new Error('a notice has come');
      return notice;
    },
    startEndpoint: () => system.start<EndpointMessage>(endpoint(options)),
    [Symbol.asyncDispose]: async () => {
      await system.shutdown();
      await Promise.all([server.close(), clients.close()]);
      await nats[Symbol.asyncDispose]();
    },
  };
}

function userLine(user: string, { publish = [], subscribe = [] }: Permissions): string {
  const denied = (subjects: readonly string[]): string => `{ deny: ${JSON.stringify(subjects)} }`;
  return `{ user: ${user}, password: x, permissions: { publish: ${denied(publish)}, subscribe: ${denied(subscribe)} } }`;
}

const EMPTY = new Uint8Array(0);

describe('a fleet that may not', () => {
  test('take requests does not start, and says which subject it needs', async () => {
    await using nats = await restricted({ shoal: { subscribe: ['shoal.*.process'] } });
    await expect(nats.startEndpoint()).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ does not .* subscribe to "shoal\.f\.process"\. .*allow/),
    });
    expect(await nats.notice()).toMatchObject({ operation: 'subscription', subject: 'shoal.f.process', count: 1 });
  });

  test('be administered does not start either', async () => {
    await using nats = await restricted({ shoal: { subscribe: ['shoal.*.admin.*'] } });
    await expect(serveAdmin(nats.server, 'f', { ps: async () => [] })).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringContaining('subscribe to "shoal.f.admin.*"'),
    });
  });

  test('reply says so once, however many replies are refused', async () => {
    await using nats = await restricted({ shoal: { publish: ['_INBOX.>'] } });
    await nats.startEndpoint();
    for (let request = 0; request < 100; request++) {
      nats.client.publish('shoal.f.process', EMPTY, { reply: `_INBOX.client.${request}` });
    }
    const notice = await nats.notice();
    expect(notice).toMatchObject({
      operation: 'publish',
      subject: '_INBOX.client.0',
      count: 1,
      error: {
        code: 'NATS_FORBIDDEN',
        message: expect.stringMatching(
          /publish to "_INBOX\.client\.0".*reply.*allow.*"_INBOX\.>", or set allow_responses/,
        ),
      },
    });
    await nats.client.flush();
    await nats.server.flush();
    expect(nats.notices).toEqual([]);
  });

  test('reply to its own first request ends that request at once', async () => {
    await using nats = await restricted({ shoal: { publish: ['_INBOX.>'] } });
    await nats.startEndpoint();
    const requester = createRequester(nats.server, { fleet: 'f' });
    await expect(requester.request(EMPTY)).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringContaining('reply'),
    });
  });

  test('be found by the tools of NATS serves all the same, and says so', async () => {
    await using nats = await restricted({ shoal: { subscribe: ['$SRV.>'] } });
    await nats.startEndpoint();
    expect(await nats.notice()).toMatchObject({ operation: 'subscription', subject: '$SRV.PING' });
    expect(await createRequester(nats.client, { fleet: 'f' }).request(EMPTY)).toMatchObject({ vm: 1 });
  });
});

describe('a client that may not', () => {
  test('send requests learns it at once, long before its deadline', async () => {
    await using nats = await restricted({ client: { publish: ['shoal.f.process'] } });
    await nats.startEndpoint();
    const requester = createRequester(nats.client, { fleet: 'f' });
    await expect(requester.request(EMPTY)).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringContaining('publish to "shoal.f.process"'),
    });
    expect(requester.inFlight).toBe(0);
  });

  test('hear replies learns it at once', async () => {
    await using nats = await restricted({ client: { subscribe: ['_INBOX.>'] } });
    await nats.startEndpoint();
    const requester = createRequester(nats.client, { fleet: 'f' });
    await expect(requester.request(EMPTY)).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringMatching(/subscribe to "_INBOX\.[^"]*"/),
    });
  });

  test.each<[string, Permissions, RegExp]>([
    ['call a verb', { publish: ['shoal.*.admin.*'] }, /publish to "shoal\.f\.admin\.ps"/],
    ['hear what a verb returns', { subscribe: ['_INBOX.>'] }, /subscribe to "_INBOX\./],
  ])('%s learns it at once', async (_, client, message) => {
    await using nats = await restricted({ client });
    await serveAdmin(nats.server, 'f', { ps: async () => [] });
    await expect(callAdmin(nats.client, 'f', 'ps', null, 60_000)).rejects.toMatchObject({
      code: 'NATS_FORBIDDEN',
      message: expect.stringMatching(message),
    });
  });
});
