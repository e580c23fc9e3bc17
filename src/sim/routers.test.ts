import { describe, expect, it } from 'vitest';
import { RouterWorld } from './testing/router-world.ts';

const FIND_EACH_OTHER_MS = 2_000;

async function pair(workMs: number | undefined = undefined, of: { idempotent?: boolean } = {}) {
  const world = new RouterWorld();
  const a = world.start('a', { vms: 1, workMs, ...of });
  const b = world.start('b', { vms: 1, workMs, ...of });
  await world.run(FIND_EACH_OTHER_MS);
  return { world, a, b };
}

describe('a request that finds no free VM at home', () => {
  it('is served by a neighbour, which tells the client itself', async () => {
    const { world, a, b } = await pair();
    world.send(a);
    const handed = world.send(a);
    await world.run(20);
    expect(handed.given).toEqual(['b']);
    world.reply(b);
    await world.run(20);
    expect(handed.told).toMatchObject([
      { by: 'b', outcome: { ok: true, host: 'b' } },
      { by: 'a', outcome: 'sent' },
    ]);
    expect((await world.snapshot(a)).requests.handed).toEqual({ on: 1, refused: 0, in: 0 });
    expect((await world.snapshot(b)).requests.handed).toEqual({ on: 0, refused: 0, in: 1 });
    expect(world.failures).toEqual([]);
  });
});
