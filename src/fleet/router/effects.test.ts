import { describe, expect, it } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { Effects } from './effects.ts';
import { Links } from './links.ts';
import type { RouterMessage } from './router-messages.ts';
import { StoreWrites } from './store-writes.ts';

/** What a reaction with that transition leads to. */
async function carriedOut(transition: Parameters<Effects['carryOut']>[0]['transitions'][number]): Promise<unknown> {
  const kit = testKit();
  const { fleet } = new BareFleet();
  const events: string[] = [];
  let thrown: unknown;
  kit.system.spawn<RouterMessage>(
    (context) => {
      const links = new Links(context, () => () => () => undefined);
      const writes = new StoreWrites(context, { reserve: () => Promise.resolve() });
      const responder = { answer: () => undefined, answerOne: () => undefined, forget: () => undefined };
      const controller = { path: 'host', tell: () => true };
      const onEvent = ({ text }: { text: string }): void => void events.push(text);
      const effects = new Effects(fleet, systemClock, links, writes, responder, { controller, onEvent });
      try {
        effects.carryOut({
          transitions: [transition],
          effects: [{ kind: 'event', event: { kind: 'warning', text: 'x' } }],
        });
      } catch (error) {
        thrown = error;
      }
      return () => undefined;
    },
    { name: 'router' },
  );
  await kit.settle();
  await kit.shutdown();
  return { events, thrown: thrown instanceof Error ? thrown.message : undefined };
}

describe('a reaction', () => {
  it('is carried out if its transitions fit', async () => {
    expect(await carriedOut({ kind: 'closing' })).toEqual({ events: ['x'], thrown: undefined });
  });

  it('fails before it tells anything, if a transition does not fit', async () => {
    expect(await carriedOut({ kind: 'vm-gone', vm: 9 })).toEqual({
      events: [],
      thrown: 'the transition does not fit the fleet: vm-gone of VM 9',
    });
  });

  it('is nothing for addresses that are in the pool, and for figures that cannot be', async () => {
    await using fleet = new FakeFleet({ addresses: 1 });
    const known = { id: 1, ip: '10.0.0.1', port: 9_000 };
    const fresh = { id: 2, ip: '10.0.0.2', port: 9_000 };
    const addresses = [known, { ...known, id: 7 }, fresh, { ...fresh, ip: '10.0.0.3' }, { ...fresh, id: 8 }];
    fleet.router.tell({ kind: 'add-addresses', addresses });
    fleet.event({ kind: 'host-stats', availableBytes: Number.NaN, vmBytes: 1 });
    await fleet.settle();
    expect([fleet.kit.failures, (await fleet.snapshot()).addresses]).toEqual([[], 2]);
  });
});
