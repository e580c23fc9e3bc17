import { expect, it } from 'vitest';
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
