import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSystem } from './mod.ts';
import { FairScheduler, type Runnable } from './scheduler.ts';

/** Catches uncaught errors, which would end the process. */
function uncaught(): unknown[] {
  const errors: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
  return errors;
}

/** Takes so many turns, each with one message that takes `spend`. */
function turnsOf(turns: number, done: () => void, spend = (): void => undefined): Runnable {
  let left = turns;
  return {
    turn: () => {
      spend();
      left -= 1;
      if (left === 0) done();
      return left > 0;
    },
  };
}

/** How often the event loop has turned since the call. */
function loopCounter(): () => number {
  let loops = 0;
  let immediate = setImmediate(function count() {
    loops += 1;
    immediate = setImmediate(count);
  });
  onTestFinished(() => clearImmediate(immediate));
  return () => loops;
}

it('a turn that throws is uncaught, and the others take theirs, also those that come later', async () => {
  const errors = uncaught();
  const scheduler = new FairScheduler();
  const failure = new Error('a defect');
  const before = Promise.withResolvers<void>();
  const after = Promise.withResolvers<void>();
  scheduler.schedule(turnsOf(100, before.resolve));
  scheduler.schedule({
    turn: () => {
      throw failure;
    },
  });
  scheduler.schedule(turnsOf(100, after.resolve));
  await Promise.all([before.promise, after.promise]);
  expect(errors).toEqual([failure]);
  const later = Promise.withResolvers<void>();
  scheduler.schedule(turnsOf(1, later.resolve));
  await later.promise;
});

describe('the event loop turns', () => {
  /** The messages that each turn of the event loop has left room for, if each message takes so many milliseconds. */
  async function messagesALoop(costsMs: readonly number[]): Promise<number[]> {
    let nowMs = 0;
    const scheduler = new FairScheduler(() => nowMs);
    const loops = loopCounter();
    const counts: number[] = [];
    let message = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const spend = (): void => {
      nowMs += costsMs[message++] ?? 0;
      counts[loops()] = (counts[loops()] ?? 0) + 1;
    };
    scheduler.schedule(turnsOf(costsMs.length, resolve, spend));
    await promise;
    return counts.filter((count) => count > 0);
  }

  it('after each message that is longer than a slice, from the first on', async () => {
    expect(await messagesALoop(new Array(50).fill(1))).toEqual(new Array(50).fill(1));
  });

  it('after a slice of shorter ones', async () => {
    const counts = await messagesALoop(new Array(200).fill(0.01));
    expect(Math.max(...counts)).toBeLessThanOrEqual(11);
    expect(counts.length).toBeLessThanOrEqual(25);
  });

  it('soon after long ones follow short ones', async () => {
    const counts = await messagesALoop([...new Array(1_000).fill(0.00001), ...new Array(1_000).fill(1)]);
    expect(counts.slice(1)).toEqual(new Array(counts.length - 1).fill(1));
    expect(counts[0]).toBeLessThanOrEqual(1_000 + 128);
  });

  it('while promises that settle at once keep the actors among microtasks', async () => {
    const TURNS_MAX = 10_000;
    let nowMs = 0;
    let turns = 0;
    const scheduler = new FairScheduler(() => nowMs);
    const loops = loopCounter();
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const runnable: Runnable = {
        turn: () => {
          turns += 1;
          seen.push(loops());
          // The rest of the handler takes so long. The next turn is scheduled when it is over.
          queueMicrotask(() => {
            nowMs += 0.06;
            if (loops() === 5 || turns === TURNS_MAX) resolve();
            else scheduler.schedule(runnable);
          });
          return false;
        },
      };
      scheduler.schedule(runnable);
    });
    for (const loop of [0, 1, 2, 3, 4]) expect(seen.filter((one) => one === loop).length).toBeLessThanOrEqual(2);
  });

  it('without an immediate of the scheduler if little is to be done, however long ago the last turn was', async () => {
    let nowMs = 0;
    const scheduler = new FairScheduler(() => nowMs);
    const turnLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    // The first loop of the event loop may be under way.
    await turnLoop();
    const immediates = vi.spyOn(globalThis, 'setImmediate');
    onTestFinished(() => immediates.mockRestore());
    const LOOPS = 10;
    for (let loop = 0; loop < LOOPS; loop++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      scheduler.schedule(turnsOf(3, resolve, () => (nowMs += 0.001)));
      await promise;
      await turnLoop();
      nowMs += loop % 2 === 0 ? 1 : 0.01;
    }
    // Those of this test.
    expect(immediates).toHaveBeenCalledTimes(LOOPS);
  });

  it('also for those who are scheduled between two slices', async () => {
    let nowMs = 0;
    const scheduler = new FairScheduler(() => nowMs);
    const loops = loopCounter();
    const late = Promise.withResolvers<number>();
    scheduler.schedule(
      turnsOf(
        1,
        () => undefined,
        () => (nowMs += 1),
      ),
    );
    await Promise.resolve();
    await Promise.resolve();
    const before = loops();
    scheduler.schedule(turnsOf(1, () => late.resolve(loops())));
    expect((await late.promise) - before).toBe(1);
  });
});

it('a turn goes on for as long as the slice does, and the clock is looked at in the midst of it', async () => {
  let nowMs = 0;
  const scheduler = new FairScheduler(() => nowMs);
  const limits: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  scheduler.schedule({
    turn: (slice) => {
      for (let isOver = false; !isOver; ) {
        const { messagesLeft } = slice;
        limits.push(messagesLeft);
        nowMs += limits.length < 10 ? 0.00001 * messagesLeft : 0.1;
        isOver = slice.spend(messagesLeft);
      }
      resolve();
      return false;
    },
  });
  await promise;
  expect(limits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 128, 128]);
});

describe('the end of a slice interrupts a turn', () => {
  /**
   * Two actors with 100 messages each, handled under a clock that moves by `costMs` at each message.
   * @returns who handled how many messages in a row
   */
  async function rowsOf(costMs: number): Promise<{ name: string; messages: number }[]> {
    let nowMs = 0;
    const rows: { name: string; messages: number }[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const system = createSystem({ throughput: THROUGHPUT, scheduler: new FairScheduler(() => nowMs) });
    onTestFinished(() => system.shutdown());
    const refs = ['a', 'b'].map((name) =>
      system.spawn<number>(
        () => (left) => {
          nowMs += costMs;
          const last = rows.at(-1);
          if (last?.name === name) last.messages += 1;
          else rows.push({ name, messages: 1 });
          if (left === 0 && name === 'b') resolve();
        },
        { name },
      ),
    );
    for (let left = 99; left >= 0; left--) for (const ref of refs) ref.tell(left);
    await promise;
    return rows;
  }

  const THROUGHPUT = 10;

  it('and it goes on in the next one, up to the same number of messages', async () => {
    // A slice holds 34 messages, so it never ends between two turns.
    const rows = await rowsOf(0.003);
    expect(rows).toEqual(new Array(20).fill(0).map((_, at) => ({ name: 'ab'[at % 2], messages: THROUGHPUT })));
  });

  it('but not if it has had all of the slice', async () => {
    const rows = await rowsOf(1);
    expect(rows).toEqual(new Array(200).fill(0).map((_, at) => ({ name: 'ab'[at % 2], messages: 1 })));
  });
});
