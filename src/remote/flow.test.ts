import { expect, it } from 'vitest';
import type { Ref } from '../actors/mod.ts';
import { type EchoMessage, echo, FakeGroup } from './testing/fixture.ts';

const LIMITS = { outboxMessagesMax: 100, windowBytes: 2_000 };

it('a host that takes nothing costs the sender no more than its limit: tell returns false, offers wait', async () => {
  const group = new FakeGroup();
  const [a, b] = [group.host('a', LIMITS), group.host('b')];
  const notes: unknown[] = [];
  b.hosts.expose('echo', b.system.spawn(echo(notes)));
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  await group.advance(100);
  b.pause();
  let taken = 0;
  for (let value = 0; value < 1_000; value++) if (far.tell({ kind: 'note', value })) taken += 1;
  expect([taken, a.hosts.stats().waiting]).toEqual([100, 100]);
  expect(a.letters.filter(({ why }) => why === 'mailbox-full').length).toBe(900);
  const offered = a.system.offer(far, { kind: 'note', value: 'offered' });
  const givenUp = a.system.offer(far, { kind: 'note', value: 'given up' }, { timeoutMs: 500 });
  await group.advance(1_000);
  expect(await givenUp).toBe(false);
  b.resume();
  await group.advance(1_000);
  expect(await offered).toBe(true);
  expect(notes).toEqual([...Array(100).keys(), 'offered']);
  expect(a.hosts.stats().waiting).toBe(0);
});

it('watches and ends take no room from messages', async () => {
  const group = new FakeGroup();
  const [a, b] = [group.host('a', LIMITS), group.host('b', LIMITS)];
  const many = 4 * LIMITS.outboxMessagesMax;
  const kids = Array.from({ length: many }, () => b.system.spawn<unknown>(() => () => undefined));
  b.hosts.expose(
    'boss',
    b.system.spawn<Ref<unknown>>(() => {
      let hasShown = false;
      return async (replyTo) => {
        if (!hasShown) {
          hasShown = true;
          replyTo.tell(kids);
          return;
        }
        await Promise.all(kids.map((kid) => b.system.stop(kid)));
        replyTo.tell('all ended');
      };
    }),
  );
  await group.settle();
  const boss = a.hosts.ref<Ref<unknown>>('b', 'boss');
  let told = 0;
  const answers: unknown[] = [];
  const watcher = a.system.spawn<unknown>((context) => (message) => {
    if (message === 'told') told += 1;
    else if (Array.isArray(message)) {
      // The refs that were sent.
      for (const kid of message as Ref<never>[]) context.watch(kid, () => 'told');
      answers.push(boss.tell(context.self));
    } else answers.push(message);
  });
  boss.tell(watcher);
  await group.advance(5_000);
  expect([answers, told, a.letters, b.letters]).toEqual([[true, 'all ended'], many, [], []]);
});

it('an offer waits for room in the mailbox at the other end, too; a tell is refused there', async () => {
  const group = new FakeGroup();
  const [a, b] = [group.host('a'), group.host('b')];
  const notes: number[] = [];
  let go = (): void => undefined;
  const slow = b.system.spawn<number>(
    () => (n) => {
      notes.push(n);
      return new Promise<void>((resolve) => {
        go = resolve;
      });
    },
    { capacity: 2 },
  );
  b.hosts.expose('slow', slow);
  await group.settle();
  const far = a.hosts.ref<number>('b', 'slow');
  const offered: number[] = [];
  const offer = async (n: number): Promise<void> => {
    await a.system.offer(far, n);
    offered.push(n);
  };
  const all = (async () => {
    for (let n = 1; n <= 10; n++) await offer(n);
  })();
  await group.advance(1_000);
  // Those of the first turn had left before it was known that the mailbox is full.
  const before = offered.length;
  await group.advance(1_000);
  expect(offered.length).toBe(before);
  for (let turn = 0; turn < 10; turn++) {
    go();
    await group.advance(100);
  }
  await all;
  expect(notes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect([a.letters, b.letters]).toEqual([[], []]);
  for (let n = 11; n <= 20; n++) far.tell(n);
  await group.advance(100);
  expect(b.letters.map(({ why }) => why)).toEqual(Array.from({ length: 8 }, () => 'mailbox-full'));
});

it('a ring of hosts that are all full goes on: what finds no room is refused at its sender', async () => {
  const group = new FakeGroup();
  const ring = ['a', 'b', 'c'].map((name) => group.host(name, LIMITS));
  const handled = [0, 0, 0];
  const next: (Ref<number> | undefined)[] = [];
  for (const [index, { hosts, system }] of ring.entries()) {
    // Each message makes two: no limit would be enough.
    const actor = system.spawn<number>(() => (n) => {
      handled[index] = (handled[index] ?? 0) + 1;
      if (n === 0) return;
      next[index]?.tell(n - 1);
      next[index]?.tell(n - 1);
    });
    hosts.expose('next', actor);
  }
  await group.settle();
  for (const [index, { hosts }] of ring.entries()) {
    next[index] = hosts.ref<number>(ring[(index + 1) % ring.length]?.hosts.host ?? '', 'next');
  }
  for (const ref of next) ref?.tell(9);
  await group.advance(5_000);
  for (const { hosts } of ring) expect(hosts.stats().waiting).toBe(0);
  const refused = ring.flatMap(({ letters }) => letters);
  expect(refused.every(({ why }) => why === 'mailbox-full')).toBe(true);
  const sent = ring.reduce((sum, { hosts }) => sum + hosts.stats().sent, 0);
  expect([refused.length > 0, sent]).toEqual([true, handled.reduce((sum, count) => sum + count, 0)]);
});

it('a tell does not overtake an offer that was awaited before it and waits at the other end', async () => {
  const group = new FakeGroup();
  const [a, b] = [group.host('a'), group.host('b')];
  const seen: number[] = [];
  let go = (): void => undefined;
  const slow = b.system.spawn<number>(
    () => (n) => {
      seen.push(n);
      return new Promise<void>((resolve) => {
        go = resolve;
      });
    },
    { name: 'slow', capacity: 1, stopTimeoutMs: 1 },
  );
  b.hosts.expose('slow', slow);
  await group.settle();
  const far = a.hosts.ref<number>('b', 'slow');
  // Both leave before the other end can say that its mailbox is full.
  expect(await Promise.all([a.system.offer(far, 1), a.system.offer(far, 2)])).toEqual([true, true]);
  await group.settle();
  // The first is in hand now, so the mailbox has room, and the second waits for the end of the turn.
  expect([seen, far.tell(3)]).toEqual([[1], true]);
  await group.settle();
  go();
  await group.settle();
  expect(seen).toEqual([1, 2]);
  expect(b.letters).toEqual([{ from: '-', to: '/slow', message: 3, why: 'mailbox-full' }]);
  far.tell(4);
  go();
  await group.settle();
  expect(seen).toEqual([1, 2, 4]);
});
