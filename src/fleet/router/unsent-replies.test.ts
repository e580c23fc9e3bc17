import { describe, expect, test } from 'vitest';
import { TAKE_BACK_MS } from '../values/neighbour.ts';
import type { NeighbourPort } from './neighbour-messages.ts';
import { NeighbourSession } from './neighbour-session.ts';
import { UnsentReplies } from './unsent-replies.ts';

/** The port of a host whose router before this one has published two replies, of which the server has shown to have one. */
function world() {
  const calls: (readonly string[] | 'confirm')[] = [];
  const port = {
    ...{ published: 2, taken: 1 },
    confirm: () => void calls.push('confirm'),
    takeBack: (hosts: readonly string[]) => void calls.push(hosts),
  };
  // Only these parts of it are used.
  const unsent = new UnsentReplies(port as unknown as NeighbourPort);
  const sessions = [new NeighbourSession<unknown>('host-2', 'a'), new NeighbourSession<unknown>('host-3', 'b')];
  return { calls, port, unsent, look: (nowMs: number) => unsent.look(sessions, nowMs), sessions };
}

describe('replies of the router before this one', () => {
  test('that the server does not confirm are taken back, with what is on its way to all hosts', () => {
    const { calls, unsent, look } = world();
    look(10);
    look(10 + TAKE_BACK_MS - 1);
    expect([calls, unsent.isInheritanceUnsure]).toEqual([['confirm'], true]);
    look(10 + TAKE_BACK_MS);
    expect([calls, unsent.isInheritanceUnsure]).toEqual([['confirm', ['host-2', 'host-3']], false]);
    look(10 + 2 * TAKE_BACK_MS);
    expect(calls).toHaveLength(2);
  });

  test('that the server has are left alone', () => {
    const { calls, port, unsent, look } = world();
    look(10);
    port.taken = 2;
    look(10 + TAKE_BACK_MS);
    expect([calls, unsent.isInheritanceUnsure]).toEqual([['confirm'], false]);
  });

  test('are gone with the connection', () => {
    const { calls, unsent, look, sessions } = world();
    unsent.lost(sessions);
    look(10);
    look(10 + TAKE_BACK_MS);
    expect([calls, unsent.isInheritanceUnsure]).toEqual([[], false]);
  });
});
