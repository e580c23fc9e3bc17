import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { type Channel, RemoteRef, RemoteReplyRef } from './remote-ref.ts';
import { Waiters } from './waiters.ts';

/** A channel that is full. */
function fullChannel(waiters: Waiters): Channel {
  return {
    closed: undefined,
    unacknowledged: 0,
    hasRoom: false,
    onRoom: (callback) => waiters.add(callback),
    tell: () => true,
    refuse: () => false,
    fail: () => undefined,
    watch: () => undefined,
    unwatch: () => undefined,
    stop: () => undefined,
  };
}

it.each(['channel', 'mailbox'] as const)(
  'an offer that is given up does not go on waiting for its %s',
  async (what) => {
    const waiters = new Waiters();
    const ref = new RemoteRef<number>(fullChannel(waiters), 1, '/far');
    if (what === 'mailbox') ref.onRoom(false);
    const giveUp = new AbortController();
    const offers = [1, 2, 3].map((n) => ref.offer(n, giveUp.signal));
    expect(waiters.size + ref.waiting).toBe(3);
    giveUp.abort();
    expect(await Promise.all(offers)).toEqual([false, false, false]);
    expect(waiters.size + ref.waiting).toBe(0);
  },
);

it('a remote ref shows its path, and nothing of the channel', () => {
  const ref = new RemoteRef<number>(fullChannel(new Waiters()), 1, '/far');
  const reply = new RemoteReplyRef<number>(fullChannel(new Waiters()), 2, 'main?');
  expect(inspect([ref, reply])).toBe('[ Ref(/far), Ref(main?) ]');
  expect(JSON.stringify([ref, reply])).toBe('["/far","main?"]');
});
