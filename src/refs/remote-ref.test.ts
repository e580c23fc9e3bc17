import { inspect } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
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
    askRoute: () => 1,
  };
}

it('goes the direct way only if no message was sent since the question for it', () => {
  const went: string[] = [];
  let asked = 0;
  const channel = (name: string): Channel => ({
    ...fullChannel(new Waiters()),
    tell: () => went.push(name) > 0,
    askRoute: () => {
      asked += 1;
      return asked;
    },
  });
  const ref = new RemoteRef<number>(channel('main'), 1, '/far');
  ref.mayRoute = true;
  ref.tell(1);
  ref.tell(2);
  expect([asked, ref.answered(1)]).toEqual([1, false]);
  ref.tell(3);
  // Of a ref that is gone, for example.
  expect([asked, ref.answered(1)]).toEqual([2, false]);
  expect(ref.answered(2)).toBe(true);
  ref.route = { channel: channel('direct'), id: -1 };
  ref.tell(4);
  ref.unroute(undefined);
  ref.tell(5);
  expect(went).toEqual(['main', 'main', 'main', 'direct', 'main']);
});

it.each(['channel', 'mailbox'] as const)(
  'an offer that is given up does not go on waiting for its %s',
  async (what) => {
    // Those of the channel and those of the mailbox alike.
    const waiting = new Set<() => void>();
    const add = vi.spyOn(Waiters.prototype, 'add').mockImplementation((wake) => {
      waiting.add(wake);
      return () => waiting.delete(wake);
    });
    onTestFinished(() => add.mockRestore());
    const ref = new RemoteRef<number>(fullChannel(new Waiters()), 1, '/far');
    if (what === 'mailbox') ref.onRoom(false);
    const giveUp = new AbortController();
    const offers = [1, 2, 3].map((n) => ref.offer(n, giveUp.signal));
    expect(waiting.size).toBe(3);
    giveUp.abort();
    expect(await Promise.all(offers)).toEqual([false, false, false]);
    expect(waiting.size).toBe(0);
  },
);

it('a watcher that has ceased to watch since its last end is told of that end again', () => {
  const asked: boolean[] = [];
  const channel: Channel = {
    ...fullChannel(new Waiters()),
    watch: (_ref, _counts, again) => void asked.push(again),
  };
  const ref = new RemoteRef<number>(channel, 1, '/far');
  const told: string[] = [];
  const [one, other] = [{}, {}];
  for (const key of [one, other]) ref.watch(key, { ended: () => told.push('told') });
  ref.ended({ path: '/far', reason: { kind: 'normal' } });
  expect(told).toHaveLength(2);
  ref.watch(one, { ended: () => told.push('again') });
  ref.unwatch(other);
  ref.watch(other, { ended: () => told.push('anew') });
  // The other end is asked for the last end only on behalf of the one that does not know of it.
  expect(asked).toEqual([false, true, false]);
  ref.ended({ path: '/far', reason: { kind: 'normal' } }, true);
  expect(told).toEqual(['told', 'told', 'anew']);
  ref.ended({ path: '/far', reason: { kind: 'normal' } });
  expect(told).toEqual(['told', 'told', 'anew', 'again']);
});

it('a remote ref shows its path, and nothing of the channel', () => {
  const ref = new RemoteRef<number>(fullChannel(new Waiters()), 1, '/far');
  const reply = new RemoteReplyRef<number>(fullChannel(new Waiters()), 2, 'main?');
  expect(inspect([ref, reply])).toBe('[ Ref(/far), Ref(main?) ]');
  expect(JSON.stringify([ref, reply])).toBe('["/far","main?"]');
});
