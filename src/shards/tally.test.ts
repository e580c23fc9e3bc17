import { expect, it } from 'vitest';
import { createSystem } from '../actors/mod.ts';
import { TalliedMailbox, Tally } from './tally.ts';

it('a message that was put into a mailbox has come, although its thread ended before it could say so', () => {
  const tally = new Tally();
  const mailbox = new TalliedMailbox<number>(tally);
  tally.beginReceived();
  expect(tally.received).toBe(0);
  mailbox.push(1);
  expect(tally.received).toBe(1);
  tally.addReceived();
  expect(tally.received).toBe(1);
  // One that was refused comes into no mailbox.
  tally.beginReceived();
  expect(tally.received).toBe(1);
  tally.addReceived();
  expect(tally.received).toBe(2);
});

it('a mailbox counts what is put in, put back and taken out, and nothing else', () => {
  const tally = new Tally();
  const mailbox = new TalliedMailbox<number | undefined>(tally);
  mailbox.push(undefined);
  mailbox.push(2);
  mailbox.unshift(mailbox.shift());
  mailbox.drop();
  mailbox.shift();
  mailbox.shift();
  expect([tally.pushed, tally.shifted]).toEqual([3, 3]);
  // The main thread reads the same memory.
  expect(new Tally(tally.buffer).pushed).toBe(3);
});

it('an offer that waits for room in a mailbox counts as if it were there, until it is or is given up', async () => {
  const tally = new Tally();
  const system = createSystem({ mailbox: <M>() => new TalliedMailbox<M>(tally) });
  const { promise, resolve } = Promise.withResolvers<void>();
  const narrow = system.spawn<number>(() => () => promise, { capacity: 1 });
  const waiting = (): number => tally.pushed - tally.shifted;
  narrow.tell(0);
  await new Promise(setImmediate);
  narrow.tell(1);
  const giveUp = new AbortController();
  const offers = [system.offer(narrow, 2), system.offer(narrow, 3, { signal: giveUp.signal })];
  expect(waiting()).toBe(3);
  giveUp.abort();
  expect(waiting()).toBe(2);
  resolve();
  expect(await Promise.all(offers)).toEqual([true, false]);
  await new Promise(setImmediate);
  expect(waiting()).toBe(0);
  await system.shutdown();
});
