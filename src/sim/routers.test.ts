import { describe, expect, it } from 'vitest';
import { type FleetSnapshot, LEASE_MS, type RouterMessage } from '../fleet/mod.ts';
import { handed, outcomes, pair } from './testing/router-pair.ts';
import { type RouterHost, RouterWorld } from './testing/router-world.ts';

function cordon(host: RouterHost, on: boolean): void {
  host.router.tell({ kind: 'cordon', on, replyTo: { path: 'admin', tell: () => true } });
}

const ok = { ok: true };

describe('a request that finds no free VM at home', () => {
  it('is served by a neighbour, which tells the client itself', async () => {
    const { world, a, b, request } = await handed();
    world.reply(b);
    await world.run(20);
    expect(request.told).toMatchObject([
      { by: 'b', outcome: { ok: true, host: 'b' } },
      { by: 'a', outcome: 'sent' },
    ]);
    expect((await world.snapshot(a)).requests).toMatchObject({ handed: { on: 1, refused: 0, in: 0 }, ok: 1 });
    expect((await world.snapshot(b)).requests).toMatchObject({ handed: { on: 0, refused: 0, in: 1 }, ok: 0 });
    expect(world.failures).toEqual([]);
  });

  it('waits, and goes to whichever host is free first', async () => {
    const { world, a, b } = await pair();
    for (const host of [a, b]) for (let n = 0; n < 3; n++) world.send(host);
    await world.run(20);
    const late = world.send(a);
    await world.run(20);
    expect(late.given).toEqual([]);
    for (let n = 0; n < 3; n++) world.reply(b);
    await world.run(50);
    expect(late.given).toEqual(['b']);
  });

  it('is offered to the next host if the first refuses it', async () => {
    const world = new RouterWorld();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => world.start(name, { vms: 1, params: { vm_backlog_max: 0 } }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('no hosts');
    await world.run(2_000);
    // Of what the others are given in the same instant, nobody knows yet.
    for (const host of [b, c, a]) world.send(host);
    const one = world.send(a);
    await world.run(300);
    expect(one.given).toEqual([]);
    const { handed: counts } = (await world.snapshot(a)).requests;
    expect(counts.on).toBe(counts.refused);
    world.reply(c);
    await world.run(300);
    expect(one.given).toEqual(['c']);
  });
});

describe('the host that works', () => {
  it('tells a router that was restarted of its own requests, and not by the numbers of the one before', async () => {
    const { world, a, b } = await handed();
    a.process.kill();
    // The end is for the router that is gone.
    world.reply(b);
    const again = world.start('a', { vms: 1 });
    await world.run(6_000);
    // Over a new link, what may have been missed is told again.
    world.nats.cutWay(again.process, b.process);
    await world.run(6_000);
    world.nats.joinWay(again.process, b.process);
    await world.run(6_000);
    world.send(again, { withinMs: 100_000 });
    const request = world.send(again);
    await world.run(20);
    expect(request.given).toEqual(['b']);
    world.reply(b);
    await world.run(20);
    expect(request.told).toMatchObject([
      { by: 'b', outcome: { ok: true, host: 'b' } },
      { by: 'a', outcome: 'sent' },
    ]);
  });

  it('tells the client nothing once the host that took the request in may have given it up', async () => {
    const { world, a, b, request } = await handed();
    b.process.pause();
    await world.run(1_000);
    world.nats.cutWay(a.process, b.process);
    b.process.resume();
    await world.run(LEASE_MS + 100);
    world.reply(b);
    await world.run(100);
    // By way of the host that took it in, which still waits for it.
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'b' } }]);
  });

  it('that stood still until it was lost tells nobody: the request has been tried elsewhere', async () => {
    const { world, a, b, request } = await handed();
    b.process.pause();
    world.reply(a);
    await world.run(6_000);
    expect(request.given).toEqual(['b', 'a']);
    world.reply(a);
    await world.run(100);
    b.process.resume();
    world.reply(b);
    await world.run(5_000);
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'a' } }]);
  });

  it('has its client told by the other way if it has no connection at that moment, and the link lasts', async () => {
    const { world, b, request } = await handed();
    world.nats.cutOff(b.process);
    await world.run(100);
    world.reply(b);
    await world.run(500);
    world.nats.join(b.process);
    await world.run(1_000);
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'b' } }]);
  });

  it('that dies is what a dead VM is: another tries it if the image lets it', async () => {
    const { world, a, b, request } = await handed();
    b.process.kill();
    world.reply(a);
    await world.run(5_000);
    world.reply(a);
    await world.run(100);
    expect(outcomes(request)).toMatchObject([{ ok: true, host: 'a' }]);
  });

  it('that dies with work that may not be done twice ends it with 502', async () => {
    const { world, b, request } = await handed({ idempotent: false });
    b.process.kill();
    await world.run(5_000);
    expect(request.told).toMatchObject([{ outcome: { ok: false, status: 502, reason: 'host-lost' } }]);
    expect(request.given).toEqual(['b']);
  });

  it('gives back what it has when it ends', async () => {
    const { world, a, b, request } = await handed();
    world.reply(a);
    b.router.tell({ kind: 'drain', limitMs: 0, replyTo: { path: 'x', tell: () => true } });
    await world.run(100);
    expect(request.given).toEqual(['b', 'a']);
  });
});

it('a request that waits goes to a host whose router has just begun, and is not lost with it', async () => {
  const world = new RouterWorld();
  const a = world.start('a', { vms: 1, params: { vm_backlog_max: 0 } });
  await world.run(2_000);
  world.send(a, { withinMs: 100_000 });
  const waiting = world.send(a, { withinMs: 100_000 });
  await world.run(20);
  // Its host is known before it is: the greeting of a's router has come to nobody.
  const b = world.start('b', { vms: 1, routerAfterMs: 500, params: { vm_backlog_max: 0 } });
  await world.run(5_000);
  expect(waiting.given).toEqual(['b']);
  world.reply(b);
  await world.run(50);
  expect(outcomes(waiting)).toMatchObject([{ ok: true, host: 'b' }]);
});

describe('the host that took a request in', () => {
  it('that was cut off, while the reply went to its client, does not have it done again', async () => {
    const { world, a, b, request } = await handed({ withinMs: 60_000 });
    world.nats.cutOff(a.process);
    await world.run(10);
    world.reply(b);
    await world.run(8_000);
    world.nats.join(a.process);
    await world.run(5_000);
    expect(request.given).toEqual(['b']);
    expect(outcomes(request)).toHaveLength(1);
  });

  it('that was cut off cannot know of the reply if the host that worked is dead when it is back', async () => {
    const { world, a, b, request } = await handed({ idempotent: false, withinMs: 60_000 });
    world.nats.cutOff(a.process);
    await world.run(10);
    world.reply(b);
    await world.run(100);
    b.process.kill();
    world.nats.join(a.process);
    await world.run(8_000);
    // The client takes the first.
    expect(outcomes(request)).toMatchObject([{ ok: true, host: 'b' }, { reason: 'host-lost' }]);
  });

  it('tells its client at the deadline, unless the other has, and once', async () => {
    const { world, a, request } = await handed({ withinMs: 1_000 });
    await world.run(1_200);
    expect(outcomes(request)).toMatchObject([{ status: 504 }]);
    const other = world.send(a, { withinMs: 1_000 });
    expect(other.told).toEqual([]);
  });

  it('tells its client of the deadline once the other is lost, and not before: it might have told it', async () => {
    const { world, b, request } = await handed({ withinMs: 500 });
    b.process.kill();
    await world.run(1_500);
    expect(request.told).toEqual([]);
    await world.run(3_500);
    expect(outcomes(request)).toMatchObject([{ status: 504 }]);
  });

  it('stops the work when nobody waits any more', async () => {
    const { world, b } = await handed({ withinMs: 500 });
    await world.run(800);
    expect(b.links.of(1).cancelled).toHaveLength(1);
  });

  it('hands on what waits when it shuts down', async () => {
    const { world, a, b } = await pair();
    for (const host of [a, b]) for (let n = 0; n < 3; n++) world.send(host);
    await world.run(20);
    const waiting = world.send(a);
    await world.run(20);
    a.router.tell({ kind: 'drain', limitMs: 30_000, replyTo: { path: 'x', tell: () => true } });
    world.reply(b);
    await world.run(300);
    expect(waiting.given).toEqual(['b']);
  });
});

describe('a repeat that comes to another host', () => {
  it('joins the first, wherever that is worked on', async () => {
    const { world, a, b } = await pair();
    const first = world.send(a, { id: 'x' });
    await world.run(20);
    const repeat = world.send(b, { id: 'x', isRepeat: true });
    await world.run(20);
    world.reply(a);
    await world.run(50);
    expect(first.given).toEqual(['a']);
    expect([first, repeat].map(outcomes)).toMatchObject([[ok], [ok]]);
  });

  it('gets the stored reply', async () => {
    const { world, a, b } = await pair();
    world.send(a, { id: 'x' });
    await world.run(20);
    world.reply(a);
    await world.run(50);
    const repeat = world.send(b, { id: 'x', isRepeat: true });
    await world.run(50);
    expect(outcomes(repeat)).toMatchObject([{ ok: true, host: 'a' }]);
  });

  it('gets the stored reply from the host that worked, though another had taken the first in and died', async () => {
    const world = new RouterWorld();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => world.start(name, { vms: 1 }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('no hosts');
    await world.run(2_000);
    world.send(a);
    world.send(c);
    await world.run(50);
    const first = world.send(a, { id: 'x' });
    await world.run(20);
    expect(first.given).toEqual(['b']);
    a.process.kill();
    await world.run(6_000);
    world.reply(b);
    await world.run(50);
    expect(first.told).toEqual([]);
    const repeat = world.send(c, { id: 'x', isRepeat: true });
    await world.run(50);
    expect(outcomes(repeat)).toMatchObject([{ ok: true, host: 'b' }]);
    expect(repeat.given).toEqual([]);
  });

  it('that comes home, whose reply another host has, gets it from there', async () => {
    const { world, a, b, request } = await handed({ id: 'x' });
    world.reply(b);
    await world.run(50);
    const repeat = world.send(a, { id: 'x', isRepeat: true });
    await world.run(50);
    expect([request, repeat].map(outcomes)).toMatchObject([[ok], [{ ok: true, host: 'b' }]]);
    expect(request.given).toEqual(['b']);
  });

  it('that joins at home what another host works on gets the text too', async () => {
    const { world, a, b } = await handed({ id: 'x' });
    const repeat = world.send(a, { id: 'x', isRepeat: true });
    await world.run(5);
    world.reply(b);
    await world.run(50);
    expect(outcomes(repeat)).toMatchObject([{ ok: true, host: 'b' }]);
  });

  it.each(
    [0, 0.2, 0.5, 1, 2, 4].flatMap((betweenMs) =>
      [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0],
      ].map((order) => ({ betweenMs, order })),
    ),
  )(
    'as others get it in the same moment, is worked on once: $betweenMs ms between, $order',
    async ({ betweenMs, order }) => {
      const world = new RouterWorld();
      const [a, b, c] = ['a', 'b', 'c'].map((name) => world.start(name, { vms: 1 }));
      if (a === undefined || b === undefined || c === undefined) throw new Error('no hosts');
      await world.run(2_000);
      const repeats: ReturnType<RouterWorld['send']>[] = [];
      for (const at of order) {
        const host = [a, b, c][at] ?? a;
        repeats.push(world.send(host, { id: 'x', isRepeat: true }));
        await world.run(betweenMs);
      }
      await world.run(500);
      const worked = world.hosts.filter((host) => host.links.of(1).open.length > 0);
      expect(worked.map(({ name }) => name)).toHaveLength(1);
      world.reply(worked[0] ?? a);
      await world.run(100);
      expect(repeats.map(outcomes)).toMatchObject([[ok], [ok], [ok]]);
    },
  );

  it('is new if nobody knows it, at the latest when a host that does not answer has had its time', async () => {
    const { world, a, b } = await pair();
    b.process.pause();
    const repeat = world.send(a, { id: 'x', isRepeat: true });
    await world.run(900);
    expect(repeat.given).toEqual([]);
    await world.run(300);
    expect(repeat.given).toEqual(['a']);
  });
});

describe('a cordoned host', () => {
  it('hands on all it can, and takes nothing', async () => {
    const { world, a, b } = await pair();
    cordon(a, true);
    await world.run(50);
    const one = world.send(a);
    await world.run(50);
    const two = world.send(b);
    await world.run(50);
    expect([one.given, two.given]).toEqual([['b'], ['b']]);
    expect(await world.snapshot(b)).toMatchObject({ neighbours: [{ name: 'a', cordoned: true }], cordoned: false });
    cordon(a, false);
    await world.run(50);
    const three = world.send(b);
    await world.run(50);
    expect(three.given).toEqual(['a']);
  });
});

describe('explain', () => {
  it('tells that a host has refused a request', async () => {
    const steps: string[] = [];
    const world = new RouterWorld(1, ({ requestId, host, text }) => steps.push(`${requestId} ${host}: ${text}`));
    const [a, b] = ['a', 'b'].map((name) => world.start(name, { vms: 1, params: { vm_backlog_max: 0 } }));
    if (a === undefined || b === undefined) throw new Error('no hosts');
    await world.run(2_000);
    // Of what the other is given in the same instant, nobody knows yet.
    for (const host of [b, a]) world.send(host);
    world.send(a, { id: 'x' });
    await world.run(50);
    expect(steps).toContain('x b: host b has refused it');
  });

  it('tells where a request is that was handed on', async () => {
    const { world, a } = await handed({ id: 'x' });
    const asked = a.system.ask<RouterMessage, unknown>(
      a.router,
      (replyTo) => ({ kind: 'explain-request', requestId: 'x', replyTo }),
      1_000,
    );
    await world.run(1);
    expect(await asked).toMatchObject({ state: 'on-host', host: 'b' });
    const { neighbours }: FleetSnapshot = await world.snapshot(a);
    expect(neighbours).toMatchObject([{ name: 'b', free: 0, handedOn: 1, handedBack: 0 }]);
  });
});
