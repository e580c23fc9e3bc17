import { describe, expect, it, onTestFinished } from 'vitest';
import { testKit } from './kit/mod.ts';
import { createSystem } from './mod.ts';

it('hooks tell of spawns, restarts, messages, stops, failures and dead letters', async () => {
  const told: string[] = [];
  await using kit = testKit({
    onSpawn: (path, restarts) => told.push(`spawn ${path} ${restarts}`),
    onMessage: ({ from, to, message }) => told.push(`${from} > ${to}: ${String(message)}`),
    onStop: ({ path, reason }) => told.push(`stop ${path} ${reason.kind}`),
    onFailure: (path, { message }) => told.push(`failure ${path} ${message}`),
    onDeadLetter: ({ from, to, why }) => told.push(`${from} > ${to}: ${why}`),
  });
  told.length = 0;
  const parent = kit.system.spawn<'go' | 'restart'>(
    (context) => {
      const child = context.spawn<string>(
        () => () => {
          throw new Error('boom');
        },
        { name: 'child' },
      );
      context.watch(child, () => 'restart');
      return async (message) => {
        if (message === 'go') return void child.tell('fail');
        await context.restart(child);
        context.exit();
        child.tell('late');
        await context.stop(child);
      };
    },
    { name: 'parent' },
  );
  parent.tell('go');
  await kit.settle();
  expect(told).toEqual([
    'spawn /parent 0',
    'spawn /parent/child 0',
    '- > /parent: go',
    '/parent > /parent/child: fail',
    'stop /parent/child error',
    'failure /parent/child boom',
    '/parent > /parent: restart',
    'spawn /parent/child 1',
    '- > /parent/child: stopped',
    'stop /parent/child shutdown',
    'stop /parent normal',
  ]);
});

it('hooks that throw end nobody', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  const system = createSystem({
    onMessage: () => {
      throw new Error('tracer');
    },
  });
  let handled = 0;
  const ref = system.spawn<string>(() => () => void handled++);
  ref.tell('go');
  expect((await warned).message).toBe('tracer');
  expect(handled).toBe(1);
  await system.shutdown();
});

/** The warnings of the process until the test ends. */
function warnings(): Error[] {
  const told: Error[] = [];
  const note = (warning: Error): void => void told.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  return told;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a promise that is rejected', () => {
  // An unhandled rejection fails the run of the tests, as it would end a process.
  it('of a hook ends nobody, and is said once', async () => {
    const told = warnings();
    const reject = async (): Promise<void> => {
      throw new Error('an async hook');
    };
    const system = createSystem({ onMessage: reject, onStop: reject, onDeadLetter: reject, onFailure: reject });
    const ref = system.spawn<number>(() => () => undefined);
    for (let n = 0; n < 100; n++) ref.tell(n);
    await turn();
    await system.stop(ref);
    ref.tell(1);
    const bad = system.spawn<number>(() => () => Promise.reject(new Error('the actor')));
    bad.tell(1);
    await system.ended(bad);
    await system.shutdown();
    await turn();
    // One of each hook.
    expect(told.map(({ message }) => message)).toEqual(Array.from({ length: 4 }, () => 'an async hook'));
  });

  it('of a logger ends nobody, and is said once for each method', async () => {
    const told = warnings();
    const reject = (): Promise<void> => Promise.reject(Object.create(null));
    const system = createSystem({ logger: { warn: reject, error: reject } });
    const ref = system.spawn<number>(() => () => Promise.reject(new Error('the actor')));
    ref.tell(1);
    await system.ended(ref);
    for (let n = 0; n < 5; n++) ref.tell(n);
    await system.shutdown();
    await turn();
    expect(told.map(({ message }) => message)).toEqual([
      'something was thrown that cannot be shown',
      'something was thrown that cannot be shown',
    ]);
  });
});
