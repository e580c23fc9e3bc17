import { expect, it } from 'vitest';
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
