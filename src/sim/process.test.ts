import { expect, test } from 'vitest';
import { SimulatedProcess } from './process.ts';
import { Chance } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

function launched(): { readonly time: VirtualTime; readonly process: SimulatedProcess } {
  const time = new VirtualTime();
  return { time, process: new SimulatedProcess(time, new Chance(1)) };
}

test('what falls due in a pause waits until it is over', async () => {
  const { time, process } = launched();
  const ranMs: number[] = [];
  for (const atMs of [10, 20, 40]) process.clock.timer(atMs, () => ranMs.push(time.nowMs));
  await time.run(15);
  process.pause();
  await time.run(30);
  expect(ranMs).toEqual([10]);
  process.resume();
  await time.run(50);
  expect(ranMs).toEqual([10, 30, 40]);
});

test('nothing runs once it is killed, also what waited for the end of a pause', async () => {
  const { time, process } = launched();
  let ran = 0;
  const run = (): void => {
    ran += 1;
  };
  process.clock.timer(10, run);
  process.clock.timer(30, run);
  process.pause();
  await time.run(20);
  process.kill();
  process.resume();
  process.scheduler.schedule({ turn: () => Boolean(run()) });
  await time.run(50);
  expect([ran, process.isDead]).toEqual([0, true]);
});

test('a step of the wall clock moves no timer', async () => {
  const { time, process } = launched();
  const [wall, monotonic] = [process.clock.now(), process.clock.monotonic()];
  const ranMs: number[] = [];
  process.clock.timer(10, () => ranMs.push(time.nowMs));
  process.stepWallClock(-3_600_000);
  expect([process.clock.now() - wall, process.clock.monotonic() - monotonic]).toEqual([-3_600_000, 0]);
  await time.run(20);
  expect(ranMs).toEqual([10]);
});
