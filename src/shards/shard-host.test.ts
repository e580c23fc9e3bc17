import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Behaviour } from '../actors/mod.ts';
import { ShardHost } from './shard-host.ts';
import { Tally } from './tally.ts';

type Start = 'well' | 'failing' | 'stuck';

function behaviourOf({ start }: { readonly start: Start }): Behaviour<never> {
  return (context) => {
    if (start === 'failing') throw new Error('it was told to fail');
    if (start === 'stuck') context.onStop(() => new Promise(() => undefined));
    return () => undefined;
  };
}

function hostHere(): ShardHost {
  const [mail, control] = [new MessageChannel(), new MessageChannel()];
  const options = { message: undefined, extras: undefined };
  const tally = new Tally().buffer;
  const init = { index: 0, mail: mail.port1, control: control.port1, module: '', options, beatMs: 1_000, tally };
  const host = new ShardHost(init);
  host.open({ worker: behaviourOf });
  onTestFinished(() => {
    mail.port1.close();
    control.port1.close();
  });
  return host;
}

describe('a shard', () => {
  it.each(['well', 'failing', 'stuck'] as const)(
    'keeps no name of an actor that starts %s, once it has ended',
    async (start) => {
      const host = hostHere();
      for (let actor = -1; actor > -10; actor--) {
        const args = { message: { start }, extras: undefined };
        const path = `/${start}${actor}`;
        const placed = await host.place({ actor, path, behaviour: 'worker', args, options: {}, mark: undefined });
        expect(placed.ok).toBe(start !== 'failing');
        await host.stop(actor, 1);
      }
      expect(host.names).toBe(0);
      expect(await host.stats()).toMatchObject({ value: { actors: 0 } });
    },
  );
});
