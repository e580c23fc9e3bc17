import { expect } from 'vitest';
import { RouterWorld } from './router-world.ts';

/** Two hosts with a VM each, which have found each other. */
export async function pair(of: { readonly workMs?: number; readonly idempotent?: boolean } = {}) {
  const world = new RouterWorld();
  const a = world.start('a', { vms: 1, ...of });
  const b = world.start('b', { vms: 1, ...of });
  await world.run(2_000);
  return { world, a, b };
}

/** The same, with a request of `a` that `b` works on. */
export async function handed(
  of: { readonly idempotent?: boolean; readonly id?: string; readonly withinMs?: number } = {},
) {
  const { world, a, b } = await pair(of);
  const own = world.send(a, { withinMs: 100_000 });
  const request = world.send(a, of);
  await world.run(20);
  expect([own.given, request.given]).toEqual([['a'], ['b']]);
  return { world, a, b, request };
}

/** What the client was told, without that another host has told it. */
export function outcomes({ told }: { told: readonly { readonly outcome: unknown }[] }): readonly unknown[] {
  return told.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'sent');
}
