import { describe, expect, it } from 'vitest';
import { ManualClock, testKit } from './mod.ts';

describe('ManualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new ManualClock({ nowMs: 1000 });
    await clock.advance(0);
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic()]).toEqual([1005, 5]);
  });

  it('fires what falls due in order of time, and timers of one instant in the order they were set', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const note = (what: string) => () => fired.push(`${what}@${clock.monotonic()}`);
    clock.timer(20, note('late'));
    clock.timer(10, note('first'));
    clock.timer(10, note('second'));
    clock.timer(31, note('not yet'));
    await clock.advance(30);
    expect(fired).toEqual(['first@10', 'second@10', 'late@20']);
    expect(clock.pending).toBe(1);
  });

  it('fires a timer that was set by another one within the same move', async () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    clock.timer(10, () => clock.timer(10, () => fired.push(clock.monotonic())));
    await clock.advance(20);
    expect(fired).toEqual([20]);
  });

  it('does not fire what was cancelled, and cancelling twice does nothing', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const cancel = clock.timer(10, () => fired.push('cancelled'));
    clock.timer(10, () => fired.push('kept'));
    cancel();
    cancel();
    await clock.advance(10);
    expect(fired).toEqual(['kept']);
  });

  it('lets actors run between two timers', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>(() => (message) => void seen.push(message));
    kit.clock.timer(1, () => {
      ref.tell('told at 1');
    });
    kit.clock.timer(2, () => seen.push('timer at 2'));
    await kit.advance(2);
    expect(seen).toEqual(['told at 1', 'timer at 2']);
  });

  it('moves the wall clock alone when that is set', async () => {
    const clock = new ManualClock({ nowMs: 1000 });
    clock.jump(-400);
    expect([clock.now(), clock.monotonic()]).toEqual([600, 0]);
  });

  it('says so when timers set themselves again at one instant for ever', async () => {
    const clock = new ManualClock({ settle: async () => undefined });
    const again = (): void => void clock.timer(0, again);
    again();
    await expect(clock.advance(1)).rejects.toThrow(/again for ever/);
  });
});
