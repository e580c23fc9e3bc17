/** What only a link over HTTP does; what both protocols promise is in `../protocols.test.ts`. */
import { describe, expect, it } from 'vitest';
import { type Probe, type TestKit, testKit } from '../../../actors/kit/mod.ts';
import type { Ref } from '../../../actors/mod.ts';
import type { LinkEvent, LinkMessage } from '../../../fleet/mod.ts';
import { KeepAlive } from '../keep-alive.ts';
import { type LinkOptions, link } from '../link.ts';
import { type Got, HttpGuest } from '../testing/fake-guest.ts';

const SETTINGS = {
  readiness: { path: '/ready', timeoutMs: 500 },
  liveness: { path: '/health', timeoutMs: 500 },
  isWell: (status: number) => status < 500,
  contentType: 'text/plain; charset=utf-8',
  connectionsMax: () => 2,
};

interface Bench extends AsyncDisposable {
  readonly kit: TestKit;
  readonly link: Ref<LinkMessage>;
  readonly owner: Probe<LinkEvent>;
  readonly guest: HttpGuest;
}

async function bench(overrides: Partial<LinkOptions> = {}): Promise<Bench> {
  const kit = testKit();
  const guest = new HttpGuest();
  const owner = kit.probe<LinkEvent>();
  const target = { vm: 7, address: { id: 1, ip: '127.0.0.1', port: 9000 } };
  const keepAlive = new KeepAlive(kit.clock, 100);
  const options = { connect: () => guest.connect(), http: SETTINGS, keepAlive, ...overrides };
  const ref = await kit.system.start(link(target, owner.ref, options), { name: 'link' });
  return { kit, link: ref, owner, guest, [Symbol.asyncDispose]: () => kit.shutdown() };
}

async function ready(overrides: Partial<LinkOptions> = {}): Promise<Bench> {
  const opened = await bench(overrides);
  opened.guest.up();
  await opened.owner.expect({ kind: 'link-ready', vm: 7 });
  return opened;
}

async function got({ kit, guest }: Bench, count: number): Promise<readonly Got[]> {
  for (let turns = 0; turns < 100 && guest.got.length < count; turns++) await kit.settle();
  expect(guest.got).toHaveLength(count);
  return guest.got;
}

function request(id: number, more: Partial<Extract<LinkMessage, { kind: 'request' }>> = {}): LinkMessage {
  return { kind: 'request', id, op: 'upper', token: Buffer.alloc(0), payload: Buffer.from(`text ${id}`), ...more };
}

describe('a link over HTTP', () => {
  it('posts to the path of the operation, or to none, with the id and the time left as headers', async () => {
    await using opened = await ready();
    const deadlineMs = opened.kit.clock.monotonic() + 1_500;
    opened.link.tell(request(1, { requestId: 'order-7', deadlineMs }));
    opened.link.tell(request(2, { op: '' }));
    const [first, second] = await got(opened, 2);
    expect(Object.fromEntries(first?.headers ?? [])).toEqual({
      host: 'shoal',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '6',
      'shoal-request-id': 'order-7',
      'shoal-deadline-ms': '1500',
    });
    expect([first?.op, second?.op, second?.payload]).toEqual(['upper', '', 'text 2']);
  });

  it('says what a text is, whatever the client says; of bytes it says what the client says, and tells what the guest says', async () => {
    await using opened = await ready();
    opened.link.tell(request(1, { contentType: 'image/png' }));
    const [first] = await got(opened, 1);
    expect(first?.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const OCTETS = 'application/octet-stream';
    const http = { ...SETTINGS, contentType: OCTETS, takesTypes: true };
    await using other = await ready({ http, payload: 'bytes' });
    other.link.tell(request(1, { contentType: 'image/png' }));
    other.link.tell(request(2));
    const [typed, untyped] = await got(other, 2);
    expect([typed, untyped].map((one) => one?.headers.get('content-type'))).toEqual(['image/png', OCTETS]);
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n';
    typed?.say(Buffer.from(`${head}Content-Type: image/gif\r\n\r\nx`));
    expect(await other.owner.expect({ kind: 'link-reply', id: 1 })).toMatchObject({ contentType: 'image/gif' });
    untyped?.say(Buffer.from(`${head}Content-Type: ${'x'.repeat(300)}\r\n\r\nx`));
    expect(await other.owner.expect({ kind: 'link-reply', id: 2 })).toMatchObject({ contentType: OCTETS });
  });

  it('tells a guest that no time is left, and not less than none', async () => {
    await using opened = await ready();
    opened.link.tell(request(1, { deadlineMs: opened.kit.clock.monotonic() - 300 }));
    const [first] = await got(opened, 1);
    expect(first?.headers.get('shoal-deadline-ms')).toBe('0');
  });

  it('puts no id into a head that could end it', async () => {
    await using opened = await ready();
    opened.link.tell(request(1, { requestId: 'a\r\nx: y' }));
    const [first] = await got(opened, 1);
    expect([...(first?.headers.keys() ?? [])]).not.toContain('shoal-request-id');
    expect(first?.headers.has('x')).toBe(false);
  });

  it('uses a connection again, and opens no more than it may', async () => {
    await using opened = await ready();
    for (const id of [1, 2, 3]) opened.link.tell(request(id));
    await opened.kit.settle();
    const [first] = await got(opened, 2);
    expect(opened.guest.attempts).toBe(2);
    first?.reply('one');
    await opened.owner.expect({ kind: 'link-reply', id: 1 });
    for (const one of (await got(opened, 3)).slice(1)) one.reply('other');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    await opened.owner.expect({ kind: 'link-reply', id: 3 });
    expect(opened.guest.attempts).toBe(2);
  });

  it('tells 503 beyond what may wait, and a cancelled request makes room', async () => {
    await using opened = await ready({ waitingMax: 1 });
    for (const id of [1, 2, 3, 4]) {
      opened.link.tell(request(id));
      await opened.kit.settle();
    }
    await opened.owner.expect({ kind: 'link-error', id: 4, status: 503 });
    opened.link.tell({ kind: 'cancel', id: 3 });
    await opened.owner.expect({ kind: 'link-error', id: 3, status: 499 });
    opened.link.tell(request(5));
    opened.link.tell({ kind: 'cancel', id: 1 });
    await opened.owner.expect({ kind: 'link-error', id: 1, status: 499 });
    expect((await got(opened, 3)).map(({ payload }) => payload)).toEqual(['text 1', 'text 2', 'text 5']);
  });

  it('loses with a connection only the request on it', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    opened.link.tell(request(2));
    const [first, second] = await got(opened, 2);
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [], why: 'reset' });
    await opened.owner.expect({ kind: 'link-ready' });
    second?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    opened.link.tell(request(3));
    (await got(opened, 3))[2]?.reply('three');
    await opened.owner.expect({ kind: 'link-reply', id: 3 });
  });

  it('sends nothing after a loss until the guest has answered on a new connection', async () => {
    await using opened = await ready({ http: { ...SETTINGS, connectionsMax: () => 3 } });
    for (const id of [1, 2, 3]) opened.link.tell(request(id));
    const [first, second, third] = await got(opened, 3);
    third?.reply('three');
    await opened.owner.expect({ kind: 'link-reply', id: 3 });
    opened.guest.answers = false;
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [] });
    // The guest may be about to end, although its other connections are open and new ones can be opened.
    opened.link.tell(request(4));
    await opened.owner.expect({ kind: 'link-lost', sent: [], unsent: [4] });
    second?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    await opened.owner.expectNone(50);
    opened.guest.answers = true;
    await opened.kit.advance(SETTINGS.liveness.timeoutMs);
    await opened.owner.expect({ kind: 'link-ready' });
    opened.link.tell(request(5));
    const all = await got(opened, 4);
    expect(all.map(({ payload }) => payload)).toEqual(['text 1', 'text 2', 'text 3', 'text 5']);
  });

  it('gives back what waits for a connection when a request is lost with one', async () => {
    await using opened = await ready();
    for (const id of [1, 2, 3]) opened.link.tell(request(id));
    const [first, second] = await got(opened, 2);
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [3] });
    await opened.owner.expect({ kind: 'link-ready' });
    // It was open before the loss.
    second?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    const { attempts } = opened.guest;
    opened.link.tell(request(3));
    opened.link.tell(request(4));
    await got(opened, 4);
    expect(opened.guest.attempts).toBe(attempts + 1);
  });

  it('tries again to reach a guest in doubt that takes no connection while it works', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    opened.link.tell(request(2));
    const [first] = await got(opened, 2);
    opened.guest.vanish();
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [] });
    await opened.owner.expectNone(50);
    opened.guest.up();
    await opened.kit.advance(100);
    await opened.owner.expect({ kind: 'link-ready' });
  });

  it('keeps the guest when a connection cannot be opened that nobody needs any more', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    const [first] = await got(opened, 1);
    opened.guest.stall();
    opened.link.tell(request(2));
    await opened.kit.settle();
    first?.reply('one');
    await opened.owner.expect({ kind: 'link-reply', id: 1 });
    (await got(opened, 2))[1]?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    opened.guest.refuse();
    opened.link.tell(request(3));
    (await got(opened, 3))[2]?.reply('three');
    await opened.owner.expect({ kind: 'link-reply', id: 3 });
  });

  it('asks a guest in doubt again, although a connection from before the doubt is refused meanwhile', async () => {
    await using opened = await ready({ http: { ...SETTINGS, connectionsMax: () => 3 } });
    opened.link.tell(request(1));
    opened.link.tell(request(2));
    const [first] = await got(opened, 2);
    opened.guest.stall();
    opened.link.tell(request(3));
    await opened.kit.settle();
    opened.guest.vanish();
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [3] });
    await opened.kit.settle();
    opened.guest.refuse();
    opened.guest.up();
    await opened.kit.advance(100);
    await opened.owner.expect({ kind: 'link-ready' });
  });

  it('names what is in work when it is closed while its guest is in doubt', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    opened.link.tell(request(2));
    const [first] = await got(opened, 2);
    opened.guest.answers = false;
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [] });
    await opened.kit.system.stop(opened.link);
    await opened.owner.expect({ kind: 'link-lost', sent: [2], unsent: [] });
  });

  it('asks a guest in doubt over a new connection, and keeps none of the old ones that are at rest', async () => {
    await using opened = await ready({ http: { ...SETTINGS, connectionsMax: () => 3 } });
    for (const id of [1, 2, 3]) opened.link.tell(request(id));
    const [first, second, third] = await got(opened, 3);
    third?.reply('three');
    await opened.owner.expect({ kind: 'link-reply', id: 3 });
    const { attempts } = opened.guest;
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1] });
    await opened.owner.expect({ kind: 'link-ready' });
    expect([opened.guest.attempts, opened.guest.openConnections]).toEqual([attempts + 1, 2]);
    second?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    expect(opened.guest.openConnections).toBe(1);
  });

  it('asks a guest in doubt again that gives no answer, also while it works', async () => {
    await using opened = await ready();
    for (const id of [1, 2]) opened.link.tell(request(id));
    const [first] = await got(opened, 2);
    opened.guest.answers = false;
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1] });
    await opened.owner.expectNone(50);
    opened.guest.answers = true;
    await opened.kit.advance(SETTINGS.liveness.timeoutMs);
    await opened.owner.expect({ kind: 'link-ready' });
  });

  it.each([
    ['answers at once', (guest: HttpGuest) => guest.up()],
    ['takes no connection at first', (guest: HttpGuest) => guest.vanish()],
  ])('answers a ping of before the loss if the guest %s', async (_, meanwhile) => {
    await using opened = await ready();
    for (const id of [1, 2]) opened.link.tell(request(id));
    const [first] = await got(opened, 2);
    opened.guest.answers = false;
    opened.link.tell({ kind: 'ping' });
    await opened.kit.settle();
    expect(opened.guest.openConnections).toBe(3);
    opened.guest.answers = true;
    meanwhile(opened.guest);
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1] });
    opened.guest.up();
    await opened.kit.advance(100);
    await opened.owner.expect({ kind: 'link-ready' });
    await opened.owner.expect({ kind: 'link-pong' });
    // That of the old probe is gone.
    expect(opened.guest.openConnections).toBe(2);
  });

  it('asks a guest to which no connection is left, after the last one was too old to be used again', async () => {
    await using opened = await ready();
    for (const id of [1, 2]) opened.link.tell(request(id));
    const [first, second] = await got(opened, 2);
    opened.guest.keepsAlive = false;
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1] });
    await opened.owner.expect({ kind: 'link-ready' });
    opened.guest.keepsAlive = true;
    const probed = opened.guest.probed.length;
    second?.reply('two');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
    await opened.kit.settle();
    expect(opened.guest.probed).toHaveLength(probed + 1);
    opened.guest.down('gone');
    await opened.owner.expect({ kind: 'link-lost', sent: [], unsent: [] });
  });

  it('waits for a moment after a connection that could not be opened', async () => {
    await using opened = await ready({ http: { ...SETTINGS, connectionsMax: () => 3 } });
    opened.link.tell(request(1));
    await got(opened, 1);
    opened.guest.vanish();
    const { attempts } = opened.guest;
    for (const id of [2, 3, 4]) {
      opened.link.tell(request(id));
      await opened.kit.settle();
    }
    expect(opened.guest.attempts).toBe(attempts + 1);
    opened.guest.up();
    await opened.kit.advance(100);
    expect((await got(opened, 3)).map(({ payload }) => payload)).toEqual(['text 1', 'text 2', 'text 3']);
  });

  it('leaves no connection open when it is stopped, and opens none after that', async () => {
    await using opened = await ready();
    for (const id of [1, 2]) opened.link.tell(request(id));
    const [first] = await got(opened, 2);
    opened.guest.vanish();
    first?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', sent: [1] });
    // The link is about to ask again.
    await opened.kit.advance(50);
    await opened.kit.system.stop(opened.link);
    const { attempts, openConnections } = opened.guest;
    expect(openConnections).toBe(0);
    await opened.kit.advance(1_000);
    expect(opened.guest.attempts).toBe(attempts);
  });

  it('goes on with a guest that closes each connection after its answer', async () => {
    await using opened = await bench();
    opened.guest.keepsAlive = false;
    opened.guest.up();
    await opened.owner.expect({ kind: 'link-ready' });
    for (const id of [1, 2, 3]) {
      opened.link.tell(request(id));
      (await got(opened, id))[id - 1]?.reply('one');
      await opened.owner.expect({ kind: 'link-reply', id });
    }
    expect(opened.guest.attempts).toBe(4);
  });

  it('learns that a guest closes each connection without saying so, and does not ask it again without end', async () => {
    await using opened = await bench();
    opened.guest.closesSilently = true;
    opened.guest.up();
    await opened.owner.expect({ kind: 'link-ready' });
    await opened.owner.expectNone(50);
    // The first shows what it does, the second that it is there.
    expect(opened.guest.attempts).toBe(2);
    for (const id of [1, 2, 3]) {
      opened.link.tell(request(id));
      (await got(opened, id))[id - 1]?.reply('one');
      await opened.owner.expect({ kind: 'link-reply', id });
    }
    expect(opened.guest.attempts).toBe(5);
  });

  it('answers 502 to whoever asked for an answer that is too long, and asks no other guest', async () => {
    await using opened = await ready({ textBytesMax: 10 });
    opened.link.tell(request(1));
    (await got(opened, 1))[0]?.reply('x'.repeat(5_000));
    await opened.owner.expect({ kind: 'link-error', id: 1, status: 502 });
    opened.link.tell(request(2));
    (await got(opened, 2))[1]?.reply('short');
    await opened.owner.expect({ kind: 'link-reply', id: 2 });
  });

  it('passes on what kind of answer it was: too many requests are an overload, a redirect a fault', async () => {
    await using opened = await ready();
    const said = [
      [429, 503, 'slow down'],
      [302, 502, 'the guest answered 302, and Shoal follows no redirect'],
      [404, 404, 'slow down'],
    ] as const;
    for (const [index, [code, status, message]] of said.entries()) {
      opened.link.tell(request(1));
      (await got(opened, index + 1))[index]?.fail(code, 'slow\r\n  down\n');
      await opened.owner.expect({ kind: 'link-error', id: 1, status, message });
    }
    opened.link.tell(request(1));
    (await got(opened, 4))[3]?.fail(500, '');
    await opened.owner.expect({ kind: 'link-error', id: 1, status: 502, message: 'Word' });
  });

  it('is not ready while its probe is answered with 5xx, and tries again', async () => {
    await using opened = await bench();
    opened.guest.probeStatus = 503;
    opened.guest.up();
    await opened.owner.expectNone(50);
    opened.guest.probeStatus = 404;
    await opened.kit.advance(1_000);
    await opened.owner.expect({ kind: 'link-ready' });
    expect(opened.guest.probed.slice(0, 2)).toEqual(['/ready', '/ready']);
  });

  it('takes no answer to a probe that says it is unwell for a sign of life', async () => {
    await using opened = await ready();
    opened.guest.probeStatus = 500;
    opened.link.tell({ kind: 'ping' });
    await opened.owner.expectNone(50);
    opened.guest.probeStatus = 200;
    opened.link.tell({ kind: 'ping' });
    await opened.owner.expect({ kind: 'link-pong' });
    expect(opened.guest.probed).toEqual(['/ready', '/health', '/health']);
  });

  it('notices the end of a guest that nobody asks', async () => {
    await using opened = await ready();
    opened.guest.down('gone');
    await opened.owner.expect({ kind: 'link-lost', sent: [], unsent: [] });
  });

  it('asks in vain no guest more than once at a time', async () => {
    await using opened = await ready();
    opened.guest.answers = false;
    for (let count = 0; count < 50; count++) opened.link.tell({ kind: 'ping' });
    await opened.kit.settle();
    expect(opened.guest.probed).toHaveLength(2);
  });
});
