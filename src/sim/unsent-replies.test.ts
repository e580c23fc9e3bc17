import { describe, expect, it } from 'vitest';
import { LEASE_MARGIN_MS, LEASE_MS } from '../fleet/mod.ts';
import { handed, outcomes } from './testing/router-pair.ts';
import { RouterWorld } from './testing/router-world.ts';

describe('a reply in the buffers of a host whose way to NATS is gone', () => {
  /** The reply was published, and has not left. */
  async function stalled(of: Parameters<typeof handed>[0] = {}) {
    const all = await handed(of);
    all.world.nats.stall(all.b.process);
    all.world.reply(all.b);
    await all.world.run(20);
    expect(all.request.told).toEqual([]);
    return all;
  }

  it('leaves when the way is back, while the right to tell the client lasts', async () => {
    const { world, b, request } = await stalled();
    await world.run(1_500);
    world.nats.unstall(b.process);
    await world.run(5_000);
    expect(request.told).toMatchObject([
      { by: 'b', outcome: { ok: true, host: 'b' } },
      { by: 'a', outcome: 'sent' },
    ]);
    expect(b.resetsMs).toEqual([]);
  });

  it('is taken back before its home may give the request to another, and goes by way of home', async () => {
    const { world, b, request } = await stalled();
    const cutMs = world.time.nowMs;
    await world.run(LEASE_MS + LEASE_MARGIN_MS - 50);
    expect(b.resetsMs).toHaveLength(1);
    expect(b.resetsMs[0]).toBeLessThan(cutMs + LEASE_MS + LEASE_MARGIN_MS);
    world.nats.unstall(b.process);
    await world.run(3_000);
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'b' } }]);
  });

  it('never leaves once another has answered', async () => {
    const { world, a, b, request } = await stalled();
    world.reply(a);
    await world.run(5_000);
    expect(request.given).toEqual(['b', 'a']);
    world.reply(a);
    await world.run(20);
    world.nats.unstall(b.process);
    await world.run(5_000);
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'a' } }]);
  });

  it('takes those to clients of all other hosts with it, which get theirs by way of these', async () => {
    const world = new RouterWorld();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => world.start(name, { vms: name === 'b' ? 2 : 1 }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('no hosts');
    await world.run(2_000);
    for (const host of [a, c]) world.send(host, { withinMs: 100_000 });
    await world.run(20);
    const requests = [world.send(a), world.send(c)];
    await world.run(20);
    expect(requests.map(({ given }) => given)).toEqual([['b'], ['b']]);
    world.nats.stall(b.process);
    for (const vm of [1, 2]) world.reply(b, vm);
    await world.run(LEASE_MS + LEASE_MARGIN_MS - 50);
    world.nats.unstall(b.process);
    await world.run(3_000);
    expect(b.resetsMs).toHaveLength(1);
    expect(requests.map(({ told }) => told)).toMatchObject([
      [{ by: 'a', outcome: { ok: true, host: 'b' } }],
      [{ by: 'c', outcome: { ok: true, host: 'b' } }],
    ]);
  });
});

describe('a reply whose connection is lost', () => {
  it('goes by way of home if it had not left', async () => {
    const { world, a, b, request } = await handed();
    world.nats.stall(b.process);
    world.reply(b);
    await world.run(20);
    world.nats.cutOff(b.process);
    world.nats.unstall(b.process);
    world.nats.join(b.process);
    await world.run(5_000);
    expect(request.told).toMatchObject([{ by: 'a', outcome: { ok: true, host: 'b' } }]);
    expect((await world.snapshot(a)).neighbours).toMatchObject([{ name: 'b', inHand: 0 }]);
  });

  it.each([0, 1, 2, 3, 5, 10, 15, 20, 100])('%i ms after it had left comes once', async (ms) => {
    const { world, b, request } = await handed();
    world.reply(b);
    await world.run(ms);
    world.nats.cutOff(b.process);
    await world.run(50);
    world.nats.join(b.process);
    await world.run(5_000);
    expect(outcomes(request)).toMatchObject([{ ok: true, host: 'b' }]);
  });

  it('is of no account once home has confirmed the end: the link to home stays', async () => {
    const { world, a, b, request } = await handed();
    world.reply(b);
    await world.run(1_000);
    const later = world.send(a);
    await world.run(20);
    world.nats.cutOff(b.process);
    await world.run(50);
    world.nats.join(b.process);
    await world.run(500);
    world.reply(b);
    await world.run(1_000);
    // By its own way: a link that is made anew renews no right.
    expect(later.told).toMatchObject([
      { by: 'b', outcome: { ok: true } },
      { by: 'a', outcome: 'sent' },
    ]);
    expect(outcomes(request)).toHaveLength(1);
  });
});

describe('no connection is reset', () => {
  it.each([
    ['its home dies', 'kill'],
    ['its home stands still', 'pause'],
    ['its home is cut off', 'cutOff'],
  ] as const)('though a reply is not confirmed, if %s: the server has the reply', async (_what, how) => {
    const { world, a, b } = await handed();
    if (how === 'cutOff') world.nats.cutOff(a.process);
    else a.process[how]();
    world.reply(b);
    await world.run(10_000);
    expect(b.resetsMs).toEqual([]);
  });

  it.each([500, 1_990, 2_300, 10_000])('by a host that stood still for %i ms right after a reply', async (ms) => {
    const { world, b, request } = await handed();
    world.reply(b);
    // The reply leaves at the end of the round.
    await world.run(0);
    b.process.pause();
    await world.run(ms);
    b.process.resume();
    await world.run(5_000);
    expect(b.resetsMs).toEqual([]);
    expect(outcomes(request)).toHaveLength(1);
  });

  it('under load', async () => {
    const world = new RouterWorld();
    const params = { router_queue_max: 1_000, vm_backlog_max: 0 };
    const hosts = ['a', 'b', 'c'].map((name) => world.start(name, { vms: 2, workMs: 7, params }));
    const [a] = hosts;
    if (a === undefined) throw new Error('no host');
    await world.run(2_000);
    for (let n = 0; n < 500; n++) {
      // More than its VMs can do.
      for (let at = 0; at < 2; at++) world.send(a);
      await world.run(5);
    }
    await world.run(10_000);
    expect((await world.snapshot(a)).requests.handed.on).toBeGreaterThan(100);
    expect(hosts.map(({ resetsMs }) => resetsMs)).toEqual([[], [], []]);
    expect(world.requests.filter((one) => outcomes(one).length !== 1)).toEqual([]);
  });
});
