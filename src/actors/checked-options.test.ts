import { describe, expect, it } from 'vitest';
import { codeOf } from '../errors.ts';
import { interleavings, ManualClock, type ManualClockOptions, type TestKitOptions, testKit } from './kit/mod.ts';
import {
  type Behaviour,
  type Context,
  consistentHash,
  createSystem,
  type PoolOptions,
  pool,
  type Ref,
  type SpawnOptions,
  type SystemOptions,
  serviceKey,
} from './mod.ts';

const idle: Behaviour<string> = () => () => undefined;

/** What is refused, and how the error names it. JavaScript users pass anything. */
type Refused = readonly [options: unknown, named: string];

function refusal(named: string): unknown {
  return expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining(named) });
}

describe('options are checked', () => {
  it.each<Refused>([
    [null, 'the options of a system to be an object, got `null` (null)'],
    [{ throughput: 0 }, '`throughput` to be a whole number from 1 up, got `0` (number)'],
    [{ throughput: Number.NaN }, '`throughput`'],
    [{ throughput: '64' }, 'got `64` (string)'],
    [{ clock: Date }, '`clock` to be an object with the methods now, monotonic, timer, soon'],
    [{ scheduler: {} }, '`scheduler`'],
    [{ mailbox: 'ring' }, '`mailbox` to be a function'],
    [{ shard: 1 }, '`shard` to be a text, got `1` (number)'],
    [{ logger: { warn: () => undefined } }, '`logger` to be an object with the methods warn, error'],
    [{ tracing: true }, '`tracing`'],
    [{ onFailure: 'log' }, '`onFailure`'],
    [{ onDeadletter: () => undefined }, 'got `onDeadletter`'],
  ])('of a system: %o', (options, named) => {
    // As said above, here and below.
    expect(() => createSystem(options as SystemOptions)).toThrow(refusal(named));
  });

  it.each<Refused>([
    [{ capacity: -1 }, '`capacity` to be a whole number from 1 up, or Infinity, got `-1` (number)'],
    // It would refuse every message.
    [{ capacity: 0 }, '`capacity`'],
    [{ capacity: 1.5 }, '`capacity`'],
    [{ capacity: '5' }, 'got `5` (string)'],
    [{ capcity: 5 }, 'got `capcity`'],
    [{ overflow: 'drop' }, '`overflow`'],
    [{ name: 'a/b' }, '`name`'],
    [{ name: 7 }, '`name`'],
    [{ stopTimeoutMs: Number.NaN }, '`stopTimeoutMs`'],
    [{ startTimeoutMs: 0 }, '`startTimeoutMs`'],
    [{ capacity: Object.create(null) }, '`capacity`'],
    [null, 'the options of an actor to be an object, got `null` (null)'],
    [5, 'the options of an actor to be an object, got `5` (number)'],
  ])('of an actor: %o', async (options, named) => {
    await using kit = testKit();
    // As above.
    const given = options as SpawnOptions;
    expect(() => kit.system.spawn(idle, given)).toThrow(refusal(named));
    await expect(kit.system.start(idle, given)).rejects.toEqual(refusal(named));
    expect(kit.system.tree().children).toEqual([]);
  });

  it('as are delays, each under its name', async () => {
    await using kit = testKit();
    kit.system.spawn<string>((context) => {
      const { timers } = context;
      expect(() => context.after(-1, 'x')).toThrow(refusal('`delayMs` to be a number of milliseconds from 0 up'));
      expect(() => context.every(-1, () => 'x')).toThrow(refusal('`intervalMs`'));
      expect(() => context.onIdle(Number.NaN, () => 'x')).toThrow(refusal('`afterMs`'));
      expect(() => timers.withFixedDelay('key', 1, () => 'x', -1)).toThrow(refusal('`firstMs`'));
      expect(() => timers.atFixedRate('key', 1, () => 'x', -1)).toThrow(refusal('`firstMs`'));
      return () => undefined;
    });
    expect(kit.failures).toEqual([]);
  });

  it('as are behaviours', async () => {
    await using kit = testKit();
    // As above.
    expect(() => kit.system.spawn(undefined as unknown as Behaviour<string>)).toThrow(refusal('`behaviour`'));
  });

  it.each([Number.NaN, -1, '5'])('as is the time for an end: %o', async (timeout) => {
    await using kit = testKit();
    const ref = kit.system.spawn(idle);
    // As above.
    const timeoutMs = timeout as number;
    for (const end of ['stop', 'drain'] as const) {
      expect(() => kit.system[end](ref, timeoutMs)).toThrow(refusal('`timeoutMs` to be a number of milliseconds'));
    }
    expect(() => kit.system.shutdown(timeoutMs)).toThrow(refusal('`timeoutMs`'));
    await expect(kit.system.ask(ref, String, timeoutMs)).rejects.toEqual(refusal('`timeoutMs`'));
    expect(kit.system.tree().children).toHaveLength(1);
  });

  it.each<Refused>([
    [{ size: 0 }, '`size`'],
    [{}, '`size` to be a whole number from 1 up, got `undefined` (undefined)'],
    [{ size: 1, routing: 'random' }, '`routing`'],
    [{ size: 1, member: { capacity: -1 } }, '`capacity`'],
    [{ size: 1, member: 5 }, 'an object'],
    [{ size: 1, backOff: { firstMs: -1, maxMs: 5 } }, '`firstMs`'],
    [{ size: 1, backOff: { firstMs: 1 } }, '`maxMs`'],
    [{ size: 1, backOff: { firstMs: 1, maxMs: 5, factor: 0 } }, '`factor`'],
  ])('of a pool: %o', (options, named) => {
    // As above.
    expect(() => pool(idle, options as PoolOptions<string>)).toThrow(refusal(named));
  });

  it.each<Refused>([
    [{ seed: 1.5 }, '`seed`'],
    [{ copyMessages: 1 }, '`copyMessages`'],
    [{ nowMs: Number.NaN }, '`nowMs`'],
    [{ throughput: 0 }, '`throughput`'],
    [{ sed: 1 }, 'onDeadLetter, nowMs, copyMessages, seed, got `sed`'],
    [{ clock: new ManualClock() }, 'got `clock`'],
  ])('of a test kit: %o', async (options, named) => {
    // As above.
    expect(() => testKit(options as TestKitOptions)).toThrow(refusal(named));
    const test = (): Promise<void> => Promise.resolve();
    // As above.
    await expect(interleavings(test, { ...(options as TestKitOptions), runs: 1 })).rejects.toThrow();
  });

  it('of a manual clock', () => {
    // As above.
    expect(() => new ManualClock({ nowMs: '0' } as unknown as ManualClockOptions)).toThrow(refusal('`nowMs`'));
  });
});

/** Anything, as programs in JavaScript pass it. */
const no = undefined as never;
// As above.
const word = 'x' as never;
const far: Ref<never> = { path: '/far', tell: () => false };

describe('arguments are checked where they are passed', () => {
  const isRef = (error: unknown): boolean =>
    codeOf(error) === 'ACTOR_REF_INVALID' && error instanceof Error && error.message.includes('got `undefined`');

  it.each<[string, (context: Context<string>) => unknown]>([
    ['`toMessage` to be a function, got `undefined`', (context) => context.watch(context.self, no)],
    ['`message` to be a function that returns the message, got `x`', (context) => context.every(10, word)],
    ['`message` to be a function that returns', (context) => context.onIdle(10, word)],
    ['`message` to be a function that returns', ({ timers }) => timers.withFixedDelay('key', 10, word)],
    ['`message` to be a function that returns', ({ timers }) => timers.atFixedRate('key', 10, word)],
    ['`promise` to be a promise, got `x`', (context) => context.pipe(word, String, String)],
    ['`done` to be a function', (context) => context.pipe(Promise.resolve(), no, String)],
    ['`failed` to be a function', (context) => context.pipe(Promise.resolve(), String, no)],
    ['`toRequest` to be a function', (context) => context.ask(context.self, no, String, 10)],
    ['`onOutcome` to be a function', (context) => context.ask(context.self, String, no, 10)],
    ['`toMessage` to be a function', (context) => context.adapt(no)],
    ['`receive` to be a function', (context) => context.become(no)],
    ['`map` to be a function', (context) => context.unstash(1, word)],
    ['`shard` to be a text', (context) => context.standsFor(no)],
    ['`cleanUp` to be a function, or an object with Symbol.dispose', (context) => context.onStop(no)],
    ['`when` to be after-children or before-children', (context) => context.onStop(() => undefined, word)],
  ])('of a context: %s', async (named, call) => {
    await using kit = testKit();
    let thrown: unknown;
    kit.system.spawn<string>((context) => {
      try {
        call(context);
      } catch (error) {
        thrown = error;
      }
      return () => undefined;
    });
    expect(thrown).toEqual(refusal(named));
  });

  it.each<[string, (context: Context<string>) => unknown]>([
    ['watch', (context) => context.watch(no, String)],
    ['unwatch', (context) => context.unwatch(no)],
    ['restart', (context) => context.restart(no)],
    ['stop', (context) => context.stop(no)],
    ['drain', (context) => context.drain(no)],
    ['ask', (context) => context.ask(no, String, String, 10)],
    ['offer', async (context) => context.offer(no, no)],
    ['ask of the system', ({ system }) => system.ask(no, String, 10)],
    ['offer of the system', async ({ system }) => system.offer(no, no)],
    ['ended', ({ system }) => system.ended(no)],
    ['stop of the system', ({ system }) => system.stop(no)],
    ['drain of the system', ({ system }) => system.drain(no)],
    ['a key', () => serviceKey<string>('key').register(no)],
  ])('refs: %s', async (_what, call) => {
    await using kit = testKit();
    let outcome: Promise<unknown> = Promise.resolve();
    kit.system.spawn<string>((context) => {
      outcome = Promise.resolve().then(() => call(context));
      return () => undefined;
    });
    await expect(outcome).rejects.toSatisfy(isRef);
    expect(kit.failures).toEqual([]);
  });

  it('of a system and its patterns', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn(idle);
    expect(() => Object.assign(kit.system, { tracing: 5 })).toThrow(refusal('`tracing`'));
    await expect(kit.system.ask(ref, no, 10)).rejects.toEqual(refusal('`toMessage` to be a function'));
    expect(() => kit.system.stop(far)).toThrow('/far is not an actor of this system');
    expect(() => pool(no, { size: 1 })).toThrow(refusal('`behaviour` to be a function'));
    expect(() => consistentHash(no)).toThrow(refusal('`keyOf` to be a function'));
    expect(() => serviceKey(no)).toThrow(refusal('`name` to be a text'));
    // As above: it returns no routing.
    const routing = (() => 0) as never;
    await expect(kit.system.start(pool(idle, { size: 1, routing }))).rejects.toEqual(refusal('`routing()`'));
  });
});
