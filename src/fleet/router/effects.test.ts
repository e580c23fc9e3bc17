import { describe, expect, it } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import type { Reaction } from '../policy/reaction.ts';
import { Effects } from './effects.ts';
import { Links } from './links.ts';
import type { RouterMessage } from './router-messages.ts';
import { StoreWrites } from './store-writes.ts';

const WARNING: Reaction['effects'] = [{ kind: 'event', event: { kind: 'warning', text: 'x' } }];

/** What a reaction leads to. */
async function carriedOut(reaction: Partial<Reaction>) {
  const kit = testKit();
  const { fleet } = new BareFleet();
  const events: string[] = [];
  /** What the controller and the relays were told, in order. */
  const told: unknown[] = [];
  let thrown: unknown;
  kit.system.spawn<RouterMessage>(
    (context) => {
      const links = new Links(context, () => () => () => undefined);
      const writes = new StoreWrites(context, { reserve: () => Promise.resolve() });
      const responder = { answer: () => undefined, answerOne: () => undefined, forget: () => undefined };
      const controller = { path: 'host', tell: ({ kind }: { kind: string }) => told.push(kind) > 0 };
      const relays = {
        send: () => void told.push('relay'),
        withdrawAllOf: (vm: number) => void told.push(`withdraw ${vm}`),
      };
      const onEvent = ({ text }: { text: string }): void => void events.push(text);
      const ports = { controller, onEvent };
      const effects = new Effects(fleet, systemClock, links, writes, responder, ports, undefined, relays);
      try {
        effects.carryOut({ transitions: [], effects: [], ...reaction });
      } catch (error) {
        thrown = error;
      }
      return () => undefined;
    },
    { name: 'router' },
  );
  await kit.settle();
  await kit.shutdown();
  return { events, told, thrown: thrown instanceof Error ? thrown.message : undefined };
}

describe('a reaction', () => {
  it('is carried out if its transitions fit', async () => {
    const { events, thrown } = await carriedOut({ transitions: [{ kind: 'closing' }], effects: WARNING });
    expect([events, thrown]).toEqual([['x'], undefined]);
  });

  it('fails before it tells anything, if a transition does not fit', async () => {
    const { events, thrown } = await carriedOut({ transitions: [{ kind: 'vm-gone', vm: 9 }], effects: WARNING });
    expect([events, thrown]).toEqual([[], 'the transition does not fit the fleet: vm-gone of VM 9']);
  });

  it('takes back what is on its way through a guest before a command goes direct, and when the VM is gone', async () => {
    const command = { kind: 'stop', vm: 7, reason: 'idle', why: 'idle' } as const;
    const { told } = await carriedOut({
      effects: [
        { kind: 'command', command },
        { kind: 'close-link', vm: 8 },
      ],
    });
    expect(told).toEqual(['withdraw 7', 'stop', 'withdraw 8']);
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
