import { expect, test } from 'vitest';
import { seededRandom } from '../actors/kit/mod.ts';
import { VirtualTime } from './virtual-time.ts';

test('entries run at their time, those of one moment in the order of their making', async () => {
  const time = new VirtualTime();
  const ran: string[] = [];
  const add = (delayMs: number, name: string): void =>
    void time.after(delayMs, () => ran.push(`${name} ${time.nowMs}`));
  add(20, 'c');
  add(10, 'a');
  add(10, 'b');
  add(0, 'now');
  await time.run(15);
  expect(ran).toEqual(['now 0', 'a 10', 'b 10']);
  expect([time.nowMs, time.pending]).toEqual([15, 1]);
  await time.run(30);
  expect(ran.at(-1)).toBe('c 20');
  expect([time.nowMs, time.pending]).toEqual([30, 0]);
});

test('many entries at random times, some cancelled, run in the order of their times', async () => {
  const time = new VirtualTime();
  const random = seededRandom(1);
  const ran: number[] = [];
  const kept: number[] = [];
  for (let n = 0; n < 5_000; n++) {
    const atMs = Math.floor(random() * 1_000);
    const cancel = time.after(atMs, () => ran.push(atMs));
    if (n % 3 === 0) {
      cancel();
      cancel();
    } else kept.push(atMs);
  }
  expect(time.pending).toBe(kept.length);
  await time.run(1_000);
  expect(ran).toEqual(kept.sort((one, other) => one - other));
});

test('promises settle before the time moves on', async () => {
  const time = new VirtualTime();
  const seen: string[] = [];
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) await Promise.resolve();
    seen.push(`settled at ${time.nowMs}`);
    time.after(0, () => seen.push(`then at ${time.nowMs}`));
  };
  time.after(1, () => void settle());
  time.after(2, () => seen.push(`next at ${time.nowMs}`));
  await time.run(10);
  expect(seen).toEqual(['settled at 1', 'then at 1', 'next at 2']);
});

test('a run ends when it is over, and goes on from there', async () => {
  const time = new VirtualTime();
  let count = 0;
  const again = (): void => {
    count += 1;
    time.after(1, again);
  };
  time.after(1, again);
  await time.run(1_000, () => count === 7);
  expect([count, time.nowMs]).toEqual([7, 7]);
  await time.run(10);
  expect([count, time.nowMs]).toEqual([10, 10]);
});

test('a run fails with the first error that an entry throws or tells', async () => {
  const throwing = new VirtualTime();
  throwing.after(3, () => {
    throw new Error('thrown');
  });
  await expect(throwing.run(10)).rejects.toThrow('thrown');
  expect(throwing.nowMs).toBe(3);
  const told = new VirtualTime();
  told.after(1, () => {
    told.fail(new Error('first'));
    told.fail(new Error('second'));
  });
  told.after(2, () => expect.unreachable());
  await expect(told.run(10)).rejects.toThrow('first');
});

test('those that are cancelled do not stay until their time', async () => {
  const time = new VirtualTime();
  const ran: number[] = [];
  const expected: number[] = [];
  for (let n = 0; n < 20_000; n++) {
    const atMs = (n * 7_919) % 10_007;
    const cancel = time.after(atMs, () => ran.push(n));
    if (n % 10 !== 0) cancel();
    else expected.push(n);
  }
  expect(time.pending).toBe(2_000);
  expect(time.kept).toBeLessThan(6_000);
  await time.run(20_000);
  const inOrder = expected.sort((a, b) => ((a * 7_919) % 10_007) - ((b * 7_919) % 10_007) || a - b);
  expect(ran).toEqual(inOrder);
});

test('a timer takes no turn of the event loop of Node', async () => {
  const time = new VirtualTime();
  for (let entry = 0; entry < 10_000; entry++) time.after(entry, () => undefined);
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    if (time.pending > 0) setImmediate(turn);
  };
  setImmediate(turn);
  await time.run(20_000);
  expect([time.pending, turns]).toEqual([0, 0]);
});
