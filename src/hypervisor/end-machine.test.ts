import { expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { endMachine } from './end-machine.ts';
import type { Machine } from './port.ts';

function machineThat(signal: (times: number) => void): { machine: Machine; done: string[] } {
  const done: string[] = [];
  let times = 0;
  const machine = {
    process: { pid: 7, startTicks: 1, bootId: 'b' },
    signal: () => {
      times += 1;
      signal(times);
    },
    remove: async () => void done.push('removed'),
    release: async () => void done.push('released'),
  } as unknown as Machine; // nothing else of it is used
  return { machine, done };
}

async function passed(clock: ManualClock, work: Promise<void>): Promise<unknown> {
  let over: unknown = 'waits';
  void work.then(
    () => {
      over = 'ended';
    },
    (error: unknown) => {
      over = error;
    },
  );
  for (let round = 0; over === 'waits' && round < 1_000; round++) await clock.advance(100);
  return over;
}

it('ends a machine, and removes what is left', async () => {
  const clock = new ManualClock();
  const gone = Promise.withResolvers<void>();
  const { machine, done } = machineThat(() => gone.resolve());
  expect(await passed(clock, endMachine(machine, gone.promise, clock))).toBe('ended');
  expect(done).toEqual(['removed']);
  // A timer that is left would keep a command from ending.
  expect(clock.pending).toBe(0);
});

it('signals again if the first signal was lost', async () => {
  const clock = new ManualClock();
  const gone = Promise.withResolvers<void>();
  const { machine, done } = machineThat((times) => (times === 3 ? gone.resolve() : undefined));
  expect(await passed(clock, endMachine(machine, gone.promise, clock))).toBe('ended');
  expect(done).toEqual(['removed']);
});

it('does not wait for ever for a process that does not end, and says which', async () => {
  const clock = new ManualClock();
  const { machine, done } = machineThat(() => undefined);
  const over = await passed(clock, endMachine(machine, new Promise(() => undefined), clock));
  expect(over).toMatchObject({ code: 'SYSTEM_REFUSED', details: { pid: 7 } });
  expect(done).toEqual(['released']);
});
