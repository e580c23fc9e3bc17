import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { ActorSystem, Behaviour, Ref } from './mod.ts';

/** More levels than calls can be nested. */
const LEVELS = 2_000;

type Message = 'grow' | 'fail';

/** Actors that are each the only child of the one before, all named `a`. */
async function nested(system: ActorSystem): Promise<{ readonly top: Ref<Message>; readonly last: Ref<Message> }> {
  const { promise, resolve } = Promise.withResolvers<Ref<Message>>();
  const level =
    (depth: number): Behaviour<Message> =>
    (context) => {
      if (depth === LEVELS) resolve(context.self);
      return (message) => {
        if (message === 'fail') throw new Error('the last one fails');
        if (depth < LEVELS) context.spawn(level(depth + 1), { name: 'a' }).tell('grow');
      };
    };
  const top = system.spawn(level(1), { name: 'a' });
  top.tell('grow');
  return { top, last: await promise };
}

describe('actors that are nested deeply', () => {
  it('have paths and are shown in the tree', async () => {
    await using kit = testKit();
    const { last } = await nested(kit.system);
    expect(last.path).toBe('/a'.repeat(LEVELS));
    let node = kit.system.tree();
    for (let below = node.children[0]; below !== undefined; below = below.children[0]) node = below;
    expect(node.path).toBe(last.path);
  });

  it.each([
    ['are stopped', (system: ActorSystem, top: Ref<never>) => system.stop(top)],
    ['are killed', (system: ActorSystem, top: Ref<never>) => system.stop(top, 0)],
    ['are drained', (system: ActorSystem, top: Ref<never>) => system.drain(top)],
    ['end with their system', (system: ActorSystem) => system.shutdown()],
  ])('%s', async (_how, end) => {
    await using kit = testKit();
    const { top } = await nested(kit.system);
    await end(kit.system, top);
    expect(kit.system.tree().children).toEqual([]);
    expect(kit.failures).toEqual([]);
  });

  it('end with the last one that fails, and say why', async () => {
    await using kit = testKit();
    const { top, last } = await nested(kit.system);
    last.tell('fail');
    const { reason } = await kit.system.ended(top);
    expect(reason).toMatchObject({ error: { code: 'ACTOR_CHILD_FAILED' } });
    const message = reason.kind === 'error' ? reason.error.message : '';
    expect(message).toMatch(/^child \/a\/a failed: child \/a\/a\/a failed: .* the last one fails$/);
    // Each parent adds its path to the message.
    expect(message.length).toBeLessThan(2_000);
  });
});
