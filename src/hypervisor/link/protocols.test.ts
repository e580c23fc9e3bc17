/** What a link promises its owner whichever protocol its guest speaks. `link.test.ts` and `http/` have what only one of them has. */
import { describe, expect, it } from 'vitest';
import { type Probe, type TestKit, testKit } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, RequestStatus } from '../../fleet/mod.ts';
import { KeepAlive } from './keep-alive.ts';
import { type LinkOptions, link } from './link.ts';
import { type FakeGuest, FramedGuest, type Got, HttpGuest } from './testing/fake-guest.ts';

const PROTOCOLS: Record<string, { guest: () => FakeGuest; options: Partial<LinkOptions> }> = {
  frames: { guest: () => new FramedGuest(), options: { firstPongMs: 500 } },
  HTTP: {
    guest: () => new HttpGuest(),
    options: {
      http: {
        readiness: { path: '/', timeoutMs: 500 },
        liveness: { path: '/', timeoutMs: 500 },
        isWell: (status) => status < 500,
        contentType: 'text/plain; charset=utf-8',
        connectionsMax: () => 8,
      },
    },
  },
};

interface Bench extends AsyncDisposable {
  readonly kit: TestKit;
  readonly link: Ref<LinkMessage>;
  readonly owner: Probe<LinkEvent>;
  readonly guest: FakeGuest;
}

describe.each(Object.keys(PROTOCOLS))('a link over %s', (name) => {
  async function bench(overrides: Partial<LinkOptions> = {}, pingIntervalMs?: number): Promise<Bench> {
    const protocol = PROTOCOLS[name];
    if (protocol === undefined) throw new Error(name);
    const kit = testKit();
    const guest = protocol.guest();
    const owner = kit.probe<LinkEvent>();
    const keepAlive = new KeepAlive(kit.clock, pingIntervalMs);
    const target = { vm: 7, address: { id: 1, ip: '127.0.0.1', port: 9000 } };
    const options = { connect: () => guest.connect(), keepAlive, ...protocol.options, ...overrides };
    const ref = await kit.system.start(link(target, owner.ref, options), { name: 'link' });
    return { kit, link: ref, owner, guest, [Symbol.asyncDispose]: () => kit.shutdown() };
  }

  async function ready(overrides: Partial<LinkOptions> = {}, pingIntervalMs?: number): Promise<Bench> {
    const opened = await bench(overrides, pingIntervalMs);
    opened.guest.up();
    await opened.owner.expect({ kind: 'link-ready', vm: 7 });
    return opened;
  }

  /** What the guest has got since the link was made. */
  async function got({ kit, guest }: Bench, count: number): Promise<readonly Got[]> {
    for (let turns = 0; turns < 100 && guest.got.length < count; turns++) await kit.settle();
    expect(guest.got).toHaveLength(count);
    return guest.got;
  }

  function request(id: number, payload = 'text', op = 'upper'): LinkMessage {
    return { kind: 'request', id, op, token: Buffer.from(`token-${id}`), payload: Buffer.from(payload) };
  }

  function replied(id: number, payload: string): (event: LinkEvent) => boolean {
    return (event) =>
      event.kind === 'link-reply' && event.id === id && Buffer.from(event.payload).toString() === payload;
  }

  it('is ready once the guest has answered, not when it is connected', async () => {
    await using opened = await bench();
    opened.guest.answers = false;
    opened.guest.up();
    await opened.owner.expectNone(100);
    opened.guest.answers = true;
    await opened.kit.advance(510);
    await opened.owner.expect({ kind: 'link-ready', vm: 7 });
  });

  it('gives each request its reply in whatever order they come, and ids beyond 32 bits as well', async () => {
    await using opened = await ready();
    const ids = [1, 2, 3, 4, 2 ** 40 + 5];
    for (const id of ids) opened.link.tell(request(id, `text ${id}`));
    const requests = await got(opened, ids.length);
    expect(requests.map(({ op, payload }) => `${op} ${payload}`)).toEqual(ids.map((id) => `upper text ${id}`));
    for (const { payload, reply } of requests.toReversed()) reply(`reply to ${payload}`);
    for (const id of ids.toReversed()) {
      await opened.owner.expect<LinkEvent>(replied(id, `reply to text ${id}`));
    }
  });

  it('reads the errors of a guest, known codes and others', async () => {
    await using opened = await ready();
    const said: [number, string, RequestStatus][] = [
      [404, 'no such operation', 404],
      [413, 'too long', 413],
      [418, 'teapot', 418],
      [500, 'broken', 502],
      [503, 'busy', 503],
      [599, 'other', 502],
    ];
    for (const [index, [code, message, status]] of said.entries()) {
      opened.link.tell(request(1));
      (await got(opened, index + 1))[index]?.fail(code, `${message}\u001b[2J`);
      await opened.owner.expect({ kind: 'link-error', vm: 7, id: 1, status, message });
    }
  });

  it('names what was sent when the guest is lost, tells the rest that nothing was sent, and connects again', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    await got(opened, 1);
    opened.guest.down('reset');
    await opened.owner.expect({ kind: 'link-lost', vm: 7, sent: [1], unsent: [] });
    opened.link.tell(request(2));
    await opened.owner.expect({ kind: 'link-lost', vm: 7, sent: [], unsent: [2] });
    opened.guest.up();
    await opened.kit.advance(1_000);
    await opened.owner.expect({ kind: 'link-ready', vm: 7 });
  });

  it('names a request that breaks its connection as sent, and goes on', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    (await got(opened, 1))[0]?.hangUp('reset');
    await opened.owner.expect({ kind: 'link-lost', vm: 7, sent: [1], unsent: [], why: 'reset' });
    await opened.kit.advance(10);
    await opened.owner.expect({ kind: 'link-ready', vm: 7 });
    opened.link.tell(request(2));
    (await got(opened, 2))[1]?.reply('back');
    await opened.owner.expect<LinkEvent>(replied(2, 'back'));
  });

  it('takes bytes that are nothing of its protocol for the loss of the connection', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    (await got(opened, 1))[0]?.say(Buffer.alloc(32, 0xff));
    await opened.owner.expect<LinkEvent>(
      (event) => event.kind === 'link-lost' && event.sent[0] === 1 && /^(FRAME|HTTP)_INVALID: /.test(event.why),
    );
    await opened.kit.advance(10);
    await opened.owner.expect({ kind: 'link-ready', vm: 7 });
  });

  it('tries again ever more slowly, and does not tell its owner of attempts that fail', async () => {
    await using opened = await bench();
    opened.guest.down('refused');
    for (let tries = 1; tries <= 9; tries++) {
      await opened.kit.settle();
      expect(opened.guest.attempts).toBe(tries);
      await opened.kit.advance(Math.min(10 * 2 ** (tries - 1), 1_000));
    }
    expect(opened.owner.received).toEqual([]);
  });

  it('gives up on a connection that was accepted by nobody who answers', async () => {
    await using opened = await bench();
    opened.guest.answers = false;
    opened.guest.up();
    await opened.kit.advance(500);
    await opened.kit.advance(10);
    expect(opened.guest.attempts).toBe(2);
  });

  it('does not take an unanswered ping for the end', async () => {
    await using opened = await ready({}, 100);
    opened.guest.answers = false;
    await opened.kit.advance(100_000);
    opened.guest.answers = true;
    opened.link.tell(request(1));
    (await got(opened, 1))[0]?.reply('there');
    await opened.owner.expect<LinkEvent>(replied(1, 'there'));
  });

  it('asks the guest at once, also while it works, and tells of its answer', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    await got(opened, 1);
    opened.link.tell({ kind: 'ping' });
    await opened.owner.expect({ kind: 'link-pong', vm: 7 });
  });

  it('passes on cancellations of what was sent, each of which ends with 499', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    const [sent] = await got(opened, 1);
    opened.link.tell({ kind: 'cancel', id: 99 });
    await opened.kit.settle();
    expect(sent?.isCancelled).toBe(false);
    opened.link.tell({ kind: 'cancel', id: 1 });
    await opened.owner.expect({ kind: 'link-error', id: 1, status: 499 });
    expect(sent?.isCancelled).toBe(true);
  });

  it('refuses operations and tokens that no guest can be given', async () => {
    await using opened = await ready();
    opened.link.tell(request(1, '', 'no such thing!'));
    await opened.owner.expect({ kind: 'link-error', id: 1, status: 404 });
    opened.link.tell({ kind: 'request', id: 2, op: '', token: Buffer.alloc(257), payload: Buffer.alloc(0) });
    await opened.owner.expect({ kind: 'link-error', id: 2, status: 400 });
  });

  it('takes a reply that is longer than any text may be', async () => {
    await using opened = await ready({ textBytesMax: 3 });
    opened.link.tell(request(1));
    (await got(opened, 1))[0]?.reply('x'.repeat(4_096));
    await opened.owner.expect<LinkEvent>(replied(1, 'x'.repeat(4_096)));
  });

  it('says nothing more once it is stopped, but names what was on it', async () => {
    await using opened = await ready();
    opened.link.tell(request(1));
    const [sent] = await got(opened, 1);
    await opened.kit.system.stop(opened.link);
    await opened.owner.expect({ kind: 'link-lost', sent: [1], unsent: [] });
    sent?.reply('too late');
    await opened.owner.expectNone();
  });
});
