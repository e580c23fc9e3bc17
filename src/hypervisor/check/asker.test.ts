import { expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { FrameType } from '../link/frame.ts';
import { FramedGuest, HttpGuest } from '../link/testing/fake-guest.ts';
import { parseProfile } from '../profile/parse-profile.ts';
import { fakeGuest } from '../testing/framed-guest.ts';
import { openAsker } from './asker.ts';

const LIMIT_MS = 500;
const HTTP = parseProfile({ protocol: 'http', liveness: { path: '/alive' } }, 'test');

it('a guest over HTTP lives while its liveness probe says so', async () => {
  const guest = new HttpGuest();
  guest.up();
  const asker = await openAsker(HTTP, () => guest.connect(), LIMIT_MS, new ManualClock());
  guest.probeStatus = 404;
  await expect(asker.ping(LIMIT_MS)).rejects.toMatchObject({
    code: 'LINK_LOST',
    message: expect.stringMatching(/\/alive .*404/),
  });
  expect(guest.probed).toEqual(['/alive', '/alive']);
  expect(guest.openConnections).toBe(0);
});

it('each status of success over HTTP is a reply, and each other one is told', async () => {
  const guest = new HttpGuest();
  guest.up();
  const asker = await openAsker(HTTP, () => guest.connect(), LIMIT_MS, new ManualClock());
  for (const [status, told] of [
    [201, 200],
    [304, 304],
    [404, 404],
  ] as const) {
    const asked = asker.ask('upper', Buffer.from('text'), LIMIT_MS);
    await Promise.resolve();
    guest.got.at(-1)?.fail(status, 'said');
    expect(await asked).toMatchObject({ status: told });
  }
  expect(guest.openConnections).toBe(0);
});

it('an error over frames has its code, or else 502', async () => {
  const guest = new FramedGuest();
  guest.up();
  const asker = await openAsker(parseProfile({}, 'test'), () => guest.connect(), LIMIT_MS, new ManualClock());
  for (const [code, status] of [
    [404, 404],
    [5_000, 502],
  ] as const) {
    const asked = asker.ask('upper', Buffer.from('text'), LIMIT_MS);
    guest.got.at(-1)?.fail(code, 'no');
    expect(await asked).toMatchObject({ status, hasToken: true });
  }
  asker.close();
  expect(guest.openConnections).toBe(0);
});

it.each<[string, number, string, object]>([
  ['with its type', FrameType.typedReply, '\x03a/bX', { status: 200, payload: Buffer.from('X'), hasToken: true }],
  ['with an error', FrameType.error, '422 no', { status: 422 }],
  ['without a type', FrameType.reply, 'X', new Error('it answers a typed request with a reply without a type')],
  ['with what is no type', FrameType.typedReply, '\x09a/b', new Error('the content type of its reply is none')],
])('a typed request that is answered %s', async (_, kind, payload, told) => {
  await using guest = await fakeGuest('user', {
    onFrame: (peer, type, low, high, token) =>
      peer.send(type === FrameType.ping ? FrameType.pong : kind, low, high, token, Buffer.from(payload, 'latin1')),
  });
  const limitMs = 10_000;
  const asker = await openAsker(
    parseProfile({ payload: 'bytes' }, 'test'),
    () => guest.connect(),
    limitMs,
    systemClock,
  );
  const answer = await asker.typed?.('', 'text/plain', Buffer.from('x'), limitMs).catch((error: unknown) => error);
  asker.close();
  if (told instanceof Error) expect(answer).toEqual(told);
  else expect(answer).toMatchObject(told);
});
