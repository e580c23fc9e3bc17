import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';
import { SpawnService, spawnerBehind } from './spawner-actor.ts';

const IDENTITY: ProcessIdentity = { pid: 7, startTicks: 1, bootId: 'b' };
const REQUEST: SpawnRequest = { command: '/bin/true', args: [], cwd: '/', stderrPath: '/dev/null' };

/** A spawner whose processes start and end when the test says so. */
class HandSpawner implements Spawner {
  readonly asked: PromiseWithResolvers<ProcessIdentity>[] = [];
  readonly listeners: ((exit: ProcessExit) => void)[] = [];

  spawn(): Promise<ProcessIdentity> {
    const asked = Promise.withResolvers<ProcessIdentity>();
    this.asked.push(asked);
    return asked.promise;
  }

  onExit(_identity: ProcessIdentity, listener: (exit: ProcessExit) => void): void {
    this.listeners.push(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a spawner as an actor', () => {
  it('spawns, and tells of the end', async () => {
    await using kit = testKit({ copyMessages: true });
    const hand = new HandSpawner();
    const spawner = spawnerBehind(kit.system, kit.system.spawn(new SpawnService(hand).behaviour()));
    const spawned = spawner.spawn(REQUEST);
    await kit.settle();
    hand.asked[0]?.resolve(IDENTITY);
    expect(await spawned).toEqual(IDENTITY);
    const exits: ProcessExit[] = [];
    spawner.onExit(IDENTITY, (exit) => exits.push(exit));
    await kit.settle();
    hand.listeners[0]?.({ exitCode: 0, signal: null });
    expect(exits).toEqual([{ exitCode: 0, signal: null }]);
  });

  it('brings the code of a failure', async () => {
    await using kit = testKit({ copyMessages: true });
    const hand = new HandSpawner();
    const spawner = spawnerBehind(kit.system, kit.system.spawn(new SpawnService(hand).behaviour()));
    const spawned = spawner.spawn(REQUEST);
    await kit.settle();
    hand.asked[0]?.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
    await expect(spawned).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('knows what is under way, also when nobody waits for it any more', async () => {
    await using kit = testKit();
    const hand = new HandSpawner();
    const service = new SpawnService(hand);
    const ref = kit.system.spawn(service.behaviour());
    ref.tell({ kind: 'spawn', request: REQUEST, replyTo: { path: '/gone', tell: () => false } });
    await kit.settle();
    let settled = false;
    const settling = service.settled().then(() => {
      settled = true;
    });
    await kit.settle();
    expect(settled).toBe(false);
    hand.asked[0]?.resolve(IDENTITY);
    await settling;
  });
});
