import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from './kit/mod.ts';
import { type Context, createSystem, type Ref, type TimerScheduler } from './mod.ts';

/** An actor that passes what it is sent on to a probe, and its timers. */
function setUp(kit: TestKit) {
  const p = kit.probe<string>();
  let own: Context<string> | undefined;
  const ref: Ref<string> = kit.system.spawn<string>((context) => {
    own = context;
    return (message) => void p.ref.tell(message);
  });
  if (own === undefined) throw new Error('it has been set at the start');
  const timers: TimerScheduler<string> = own.timers;
  return { p, ref, timers };
}

describe('context.timers', () => {
  it('sends once, and is active until then', async () => {
    await using kit = testKit();
    const { p, timers } = setUp(kit);
    timers.after('key', 10, 'ding');
    expect(timers.isActive('key')).toBe(true);
    await p.expectNone(9);
    await kit.advance(1);
    expect(timers.isActive('key')).toBe(false);
    await kit.advance(100);
    expect(p.received).toEqual(['ding']);
  });

  it('replaces the timer of the same key, and leaves those of others alone', async () => {
    await using kit = testKit();
    const { p, timers } = setUp(kit);
    timers.after('key', 10, 'former');
    timers.after('other', 10, 'other');
    timers.after('key', 20, 'latter');
    await kit.advance(100);
    expect(p.received).toEqual(['other', 'latter']);
  });

  it('sends with a fixed delay until it is cancelled', async () => {
    await using kit = testKit();
    const { p, timers } = setUp(kit);
    let n = 0;
    timers.withFixedDelay('key', 10, () => `${++n}`, 5);
    await kit.advance(4);
    expect(p.received).toEqual([]);
    await kit.advance(21);
    timers.cancel('key');
    await kit.advance(100);
    expect(p.received).toEqual(['1', '2', '3']);
    expect(timers.isActive('key')).toBe(false);
    expect(kit.clock.pending).toBe(0);
  });

  it('sends at a fixed rate: a late message delays no other, and missed ones are sent as one', async () => {
    const dueMs: number[] = [];
    const late = [0, 4, 0, 25, 0];
    let nowMs = 0;
    let fire: (() => void) | undefined;
    const clock = {
      now: () => nowMs,
      monotonic: () => nowMs,
      timer: (delayMs: number, callback: () => void) => {
        dueMs.push(nowMs + delayMs);
        fire = callback;
        return () => undefined;
      },
      soon: (callback: () => void) => queueMicrotask(callback),
    };
    const system = createSystem({ clock });
    let sent = 0;
    system.spawn<number>((context) => {
      context.timers.atFixedRate('key', 10, () => ++sent);
      return () => undefined;
    });
    for (const lateMs of late) {
      nowMs = (dueMs.at(-1) ?? 0) + lateMs;
      fire?.();
    }
    expect(dueMs).toEqual([10, 20, 30, 40, 70, 80]);
    expect(sent).toBe(late.length);
    await system.shutdown();
  });

  it.each<[string, (timers: TimerScheduler<string>) => void]>([
    ['cancelled', (timers) => timers.cancel('key')],
    ['replaced', (timers) => timers.after('key', 1_000, 'later')],
    ['cancelled with all others', (timers) => timers.cancelAll()],
  ])('is not heard of once it is %s, not even if its message waits already', async (_what, act) => {
    const starts: ((timers: TimerScheduler<string>) => void)[] = [
      (timers) => timers.after('key', 10, 'tick'),
      (timers) => timers.withFixedDelay('key', 10, () => 'tick'),
      (timers) => timers.atFixedRate('key', 10, () => 'tick'),
    ];
    for (const start of starts) {
      await using kit = testKit();
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      const ref = kit.system.spawn<string>((context) => {
        start(context.timers);
        return async (message) => {
          seen.push(message);
          if (message !== 'work') return;
          await gate.promise;
          act(context.timers);
        };
      });
      ref.tell('work');
      await kit.advance(35);
      expect(kit.system.tree().children[0]?.depth).toBeGreaterThan(0);
      gate.resolve();
      await kit.advance(100);
      expect(seen).toEqual(['work']);
      expect(kit.system.deadLetters.count).toBe(0);
    }
  });

  it('cancels a message that was put aside, whatever was handled since, also once it is back', async () => {
    for (const isBack of [false, true]) {
      await using kit = testKit();
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      let isStashing = true;
      const ref = kit.system.spawn<string>((context) => {
        context.timers.after('early', 10, 'early');
        for (let n = 0; n < 5; n++) context.timers.after(n, 20 + n, `${n}`);
        context.timers.after('late', 110, 'late');
        return async (message) => {
          if (message === 'early' && isStashing) return context.stash(message);
          seen.push(message);
          if (message !== 'work') return;
          isStashing = false;
          if (isBack) context.unstashAll();
          await gate.promise;
          context.timers.cancel('early');
          context.unstashAll();
        };
      });
      await kit.advance(100);
      ref.tell('work');
      await kit.advance(20);
      gate.resolve();
      await kit.settle();
      expect(seen).toEqual(['0', '1', '2', '3', '4', 'work', 'late']);
    }
  });

  it('cancels a message that is put aside, also if it comes back in a later turn', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.timers.after('early', 10, 'early');
      return (message) => {
        seen.push(message);
        if (message === 'early') context.stash(message);
        if (message === 'cancel') context.timers.cancel('early');
        if (message === 'open') context.unstashAll();
      };
    });
    await kit.advance(10);
    for (const message of ['cancel', 'open']) {
      ref.tell(message);
      await kit.settle();
    }
    expect(seen).toEqual(['early', 'cancel', 'open']);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('cancels all, also messages that were put aside, which are no dead letters at the end either', async () => {
    for (const comesBack of [true, false]) {
      await using kit = testKit();
      const seen: string[] = [];
      const ref = kit.system.spawn<string>((context) => {
        context.timers.after('early', 10, 'early');
        for (let n = 0; n < 5; n++) context.timers.after(n, 20 + n, `${n}`);
        return (message) => {
          if (message === 'early' && seen.length === 0) return context.stash(message);
          seen.push(message);
          if (message === 'cancel') context.timers.cancelAll();
          if (message === 'open') context.unstashAll();
        };
      });
      await kit.advance(100);
      ref.tell('cancel');
      await kit.settle();
      if (comesBack) ref.tell('open');
      await kit.settle();
      await kit.system.stop(ref);
      expect(seen).toEqual(['0', '1', '2', '3', '4', 'cancel', ...(comesBack ? ['open'] : [])]);
      expect(kit.system.deadLetters.count).toBe(0);
    }
  });

  it('cancels a message that is put aside after others have come', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    kit.system.spawn<string>((context) => {
      context.timers.after('early', 10, 'early');
      context.timers.after('late', 20, 'late');
      return async (message) => {
        seen.push(message);
        if (message === 'late') {
          context.timers.cancel('early');
          context.unstashAll();
          return;
        }
        await gate.promise;
        context.stash(message);
      };
    });
    await kit.advance(30);
    gate.resolve();
    await kit.settle();
    expect(seen).toEqual(['early', 'late']);
  });

  it('forgets keys whose messages were handled, however many there are', async () => {
    await using kit = testKit();
    const { p, timers } = setUp(kit);
    for (let key = 0; key < 100; key++) timers.after(key, key, `${key}`);
    await kit.advance(100);
    expect(p.received).toHaveLength(100);
    timers.after(7, 10, 'again');
    await kit.advance(10);
    expect(p.received.at(-1)).toBe('again');
  });

  it('ends with its incarnation, and does nothing after it', async () => {
    await using kit = testKit();
    const { p, ref, timers } = setUp(kit);
    timers.atFixedRate('key', 10, () => 'tick');
    await kit.system.stop(ref);
    expect(kit.clock.pending).toBe(0);
    timers.after('key', 10, 'tick');
    expect(kit.clock.pending).toBe(0);
    await p.expectNone(100);
  });

  it('fails its actor when it cannot make its message', async () => {
    await using kit = testKit();
    const { ref, timers } = setUp(kit);
    timers.withFixedDelay('key', 10, () => {
      throw new Error('no message');
    });
    await kit.advance(10);
    expect(kit.failures).toMatchObject([{ path: ref.path, error: { message: 'no message' } }]);
  });

  it.each([0, -1, Number.NaN])('refuses an interval of %s', async (intervalMs) => {
    await using kit = testKit();
    const { timers } = setUp(kit);
    const refused = expect.objectContaining({ code: 'CONFIG_VALUE' });
    expect(() => timers.withFixedDelay('key', intervalMs, () => 'tick')).toThrow(refused);
    expect(() => timers.atFixedRate('key', intervalMs, () => 'tick')).toThrow(refused);
    expect(() => timers.after('key', intervalMs - 1, 'tick')).toThrow(refused);
    expect(timers.isActive('key')).toBe(false);
  });
});
