import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { interleavings, type TestKit, testKit } from './mod.ts';

// These tests have seeds of their own, so a seed that repeats another test must not reach them.
beforeEach(() => void vi.stubEnv('SHOAL_SEED', ''));
afterEach(() => void vi.unstubAllEnvs());

/** The order in which the actors handled their messages. */
async function orderOf(kit: TestKit): Promise<string> {
  const seen: string[] = [];
  const refs = ['a', 'b', 'c'].map((name) => kit.system.spawn<number>(() => (n) => void seen.push(`${name}${n}`)));
  for (let n = 0; n < 5; n++) for (const ref of refs) ref.tell(n);
  await kit.settle();
  return seen.join(' ');
}

async function orderWith(seed: number): Promise<string> {
  await using kit = testKit({ seed });
  // Awaited here, because the kit is shut down when this returns.
  return await orderOf(kit);
}

describe('a seed', () => {
  it('brings back the same interleaving; another brings another', async () => {
    expect(await orderWith(1)).toBe(await orderWith(1));
    expect(await orderWith(1)).not.toBe(await orderWith(2));
  });

  it('keeps the order between a pair', async () => {
    const order = await orderWith(7);
    expect(order.split(' ').filter((one) => one.startsWith('b'))).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
  });

  it('lets I/O have its turn while actors feed each other for ever', async () => {
    await using kit = testKit({ seed: 1 });
    const spin = kit.system.spawn<number>((context) => (n) => void context.self.tell(n + 1));
    spin.tell(0);
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    await kit.system.stop(spin);
  });
});

describe('interleavings', () => {
  it('tries many orders', async () => {
    const orders = new Set<string>();
    await interleavings(async (kit) => void orders.add(await orderOf(kit)), { runs: 20 });
    expect(orders.size).toBeGreaterThan(10);
  });

  it('names the seed of a failure, which brings it back', async () => {
    const orders: string[] = [];
    const fails = async (kit: TestKit): Promise<void> => {
      const order = await orderOf(kit);
      if (order.startsWith('c')) {
        orders.push(order);
        throw new Error('c came first');
      }
    };
    const failure = await interleavings(fails, { runs: 1000 }).catch((error: Error) => error);
    expect(failure?.message).toMatch(/^with seed (\d+) \(SHOAL_SEED=\1 replays it\): c came first$/);
    vi.stubEnv('SHOAL_SEED', /\d+/.exec(failure?.message ?? '')?.[0]);
    await expect(interleavings(fails)).rejects.toThrow('c came first');
    expect(orders).toHaveLength(2);
    expect(orders[0]).toBe(orders[1]);
  });

  it('says so when it is given something else than a seed', async () => {
    vi.stubEnv('SHOAL_SEED', 'often');
    await expect(interleavings(async () => undefined)).rejects.toThrow('whole number, got `often`');
  });

  it('names the seed of whatever was thrown', async () => {
    await expect(interleavings(() => Promise.reject('text'), { seed: 5 })).rejects.toThrow('with seed 5');
  });
});
