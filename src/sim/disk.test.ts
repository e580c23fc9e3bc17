import { expect, test } from 'vitest';
import { EMPTY_DOCUMENT, type StoreDocument } from '../store/mod.ts';
import { SimulatedDisk } from './disk.ts';
import { SimulatedProcess } from './process.ts';
import { Chance } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

/** Another document than that of an empty disk. */
const OTHER: StoreDocument = { ...EMPTY_DOCUMENT };

function place(seed = 1): {
  readonly time: VirtualTime;
  readonly process: SimulatedProcess;
  readonly disk: SimulatedDisk;
  readonly behaviour: { failedWrites: number };
} {
  const [time, chance] = [new VirtualTime(), new Chance(seed)];
  const behaviour = { write: { kind: 'constant', ms: 20 } as const, failedWrites: 0 };
  const disk = new SimulatedDisk(EMPTY_DOCUMENT, chance.stream('disk'), () => behaviour);
  return { time, process: new SimulatedProcess(time, chance), disk, behaviour };
}

test('a write is durable after its time, and not before', async () => {
  const { time, process, disk } = place();
  const told: string[] = [];
  void disk.save(OTHER, process).then(() => told.push('durable'));
  await time.run(19);
  expect([disk.document, disk.isWriting, told]).toEqual([EMPTY_DOCUMENT, true, []]);
  expect(disk.document).toBe(EMPTY_DOCUMENT);
  await time.run(21);
  expect(disk.document).toBe(OTHER);
  expect([disk.isWriting, told]).toEqual([false, ['durable']]);
});

test('a write that fails is told, and leaves what was there', async () => {
  const { time, process, disk, behaviour } = place();
  behaviour.failedWrites = 1;
  const failing = expect(disk.save(OTHER, process)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
  await time.run(21);
  await failing;
  expect(disk.document).toBe(EMPTY_DOCUMENT);
  expect(disk.isWriting).toBe(false);
});

test('of a write that a crash interrupts, chance decides whether it took place, and nobody is told', async () => {
  const documents = new Set<StoreDocument>();
  for (let seed = 1; seed <= 20; seed++) {
    const { time, process, disk } = place(seed);
    let isTold = false;
    void disk.save(OTHER, process).then(() => {
      isTold = true;
    });
    await time.run(10);
    process.kill();
    documents.add(disk.document);
    const then = disk.document;
    await time.run(100);
    expect(disk.document).toBe(then);
    expect([isTold, disk.isWriting]).toEqual([false, false]);
  }
  expect(documents.size).toBe(2);
});
