import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { Context } from '../../actors/mod.ts';
import type { HostCommand } from '../values/host-messages.ts';
import type { Relay } from '../values/relay.ts';
import { Relays } from './relays.ts';
import type { RouterMessage } from './router-messages.ts';

const RELAY: Relay = {
  command: { kind: 'start', vm: 7 },
  address: { id: 2, ip: '127.0.10.2', port: 9_000 },
  through: 3,
};

/** What is done with each part, in order. */
async function relays(hasRoom: boolean) {
  const done: unknown[][] = [];
  const note = (...what: readonly unknown[]): number => done.push([...what]);
  const clock = new ManualClock();
  await clock.advance(1_000);
  const context = { clock, after: (ms: number, message: RouterMessage) => note('after', ms, message) };
  const one = new Relays(
    // It asks its context for nothing else.
    context as unknown as Context<RouterMessage>,
    { tell: (vm, message) => note('tell', vm, message) > 0 && hasRoom },
    {
      issue: (relay, untilMs) => {
        note('issue', relay, untilMs);
        return { number: 5, line: 'signed' };
      },
      withdraw: (number) => (note('withdraw', number) > 0 ? RELAY : undefined),
      withdrawAllOf: (vm) => void note('withdraw all', vm),
      begin: () => void note('begin'),
    },
    { path: 'controller', tell: (command: HostCommand) => note('command', command) > 0 },
  );
  return { one, done };
}

describe('commands that go through guests', () => {
  it('begin with none', async () => {
    expect((await relays(true)).done).toEqual([['begin']]);
  });

  it('are given to a guest that is listened to, in the place of those before, and are due after their time', async () => {
    const { one, done } = await relays(true);
    one.send(RELAY);
    expect(done.slice(1)).toEqual([
      ['withdraw all', 7],
      ['issue', RELAY, 1_200],
      ['command', { kind: 'listen', vm: 3 }],
      ['tell', 3, { kind: 'relay', line: 'signed' }],
      ['after', 200, { kind: 'relay-due', number: 5 }],
    ]);
  });

  it('are due at once if the link has no room', async () => {
    const { one, done } = await relays(false);
    one.send(RELAY);
    expect(done.at(-1)).toEqual(['after', 0, { kind: 'relay-due', number: 5 }]);
  });

  it('are taken back when they are overdue, or out of date', async () => {
    const { one, done } = await relays(true);
    expect(one.overdue(5)).toBe(RELAY);
    one.withdrawAllOf(7);
    expect(done.slice(1)).toEqual([
      ['withdraw', 5],
      ['withdraw all', 7],
    ]);
  });
});
