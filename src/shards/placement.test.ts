import { expect, it } from 'vitest';
import type { ControlCalls } from './control.ts';
import { Placement } from './placement.ts';
import type { PortChannel } from './port-channel.ts';

it('a message that waits for room leaves nothing on the channel once it has been sent', async () => {
  const waiting = new Set<() => void>();
  const told: unknown[] = [];
  const channel = {
    closed: undefined,
    hasRoom: false,
    onRoom: (wake: () => void) => {
      waiting.add(wake);
      return () => waiting.delete(wake);
    },
    tell: (_to: number, message: unknown) => told.push(message) > 0,
  };
  // It uses nothing else of them here.
  const deps = {
    shard: 0,
    // As above.
    channel: channel as unknown as PortChannel,
    // As above.
    calls: {} as ControlCalls,
    started: () => undefined,
    release: () => undefined,
  };
  const placement = new Placement(-1, { path: '/a', tell: () => true }, {}, deps);
  const sent = placement.tell('last');
  expect([placement.isIdle, waiting.size]).toEqual([false, 1]);
  // It is sent for another reason than room on the channel, which is full as before.
  placement.hurry();
  await sent;
  expect([told, placement.isIdle, waiting.size]).toEqual([['last'], true, 0]);
});
