/**
 * Crash at every write point. The disk is simulated, and keeps after a crash what was synced and, of the rest, whatever it likes. What a
 * history should lead to is told by a store in memory that makes the same changes one by one.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, seededRandom } from '../actors/kit/mod.ts';
import { codeOf } from '../errors.ts';
import { openLowdbStore } from './lowdb-store.ts';
import { MemoryDisk, openMemoryStore } from './memory-store.ts';
import { anyChange, type Change } from './testing/any-change.ts';
import { durablePart, newAddresses } from './testing/rows.ts';
import { type Fault, SimulatedFiles } from './testing/simulated-files.ts';

/** Changes made in one turn. */
type Turn = readonly Change[];

const clock = new ManualClock();
const seed = fc.integer();
const turn: fc.Arbitrary<Turn> = fc.array(anyChange(), { minLength: 1, maxLength: 4 });
/** Without an address nothing else can happen. */
const addresses: Turn = [{ make: (store) => store.addAddresses(newAddresses(3)), durable: true }];
const history = fc.array(turn, { minLength: 1, maxLength: 6 }).map((turns): readonly Turn[] => [addresses, ...turns]);

describe('a crash at any write point', () => {
  it('loses nothing that was acknowledged and shows no half of a change, while turns overlap', async () => {
    await fc.assert(
      fc.asyncProperty(history, seed, async (turns, anySeed) => {
        const random = seededRandom(anySeed);
        const changes = turns.flat();
        const expected = await statesOf(changes);
        const points = await crashPoints((files) => overlapping(files, turns));
        for (let point = 0; point <= points; point += 1) {
          const files = crashingAt(point);
          const acknowledged = await overlapping(files, turns);
          const found = await recovered(files, random);
          const index = expected.findIndex((state, i) => i >= acknowledged && isSame(state, found));
          if (index < 0)
            throw new Error(`crash at ${point} after ${acknowledged} changes left ${JSON.stringify(found)}`);
        }
      }),
    );
  });

  it('after failed writes leaves what was acknowledged, at most with the change that was under way', async () => {
    await fc.assert(
      fc.asyncProperty(history, seed, fc.array(fc.nat(80), { maxLength: 8 }), async (turns, anySeed, failing) => {
        const random = seededRandom(anySeed);
        const faults = new Set(failing);
        const points = await crashPoints((files) => oneByOne(files, turns), faults);
        for (let point = 0; point <= points; point += 1) {
          const files = crashingAt(point, faults);
          const possible = await oneByOne(files, turns);
          const found = await recovered(files, random);
          if (!possible.some((state) => isSame(state, found))) {
            throw new Error(`crash at ${point} left ${JSON.stringify(found)}, not one of ${JSON.stringify(possible)}`);
          }
        }
      }),
    );
  });

  it('never gives an id twice', async () => {
    await fc.assert(
      fc.asyncProperty(seed, fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), async (anySeed, points) => {
        const random = seededRandom(anySeed);
        const given: number[] = [];
        let files = new SimulatedFiles();
        for (const point of points) {
          files.faults = ({ index }) => (index === point ? 'crash' : undefined);
          await Promise.race([takeIds(files, given), files.crashed]);
          files = files.crash(random);
        }
        await takeIds(files, given);
        expect(new Set(given).size).toBe(given.length);
      }),
    );
  });

  it('is survived by a store that is being set up for the first time', async () => {
    const points = await crashPoints((files) => openLowdbStore({ path: PATH, clock, files }));
    for (let point = 0; point <= points; point += 1) {
      const files = crashingAt(point);
      await Promise.race([openLowdbStore({ path: PATH, clock, files }), files.crashed]);
      expect(await recovered(files, seededRandom(point))).toMatchObject({ ip_pool: [], vmachine: [] });
    }
  });
});

describe('the simulated disk', () => {
  it.each([
    ['content', 'sync'],
    ['names', 'syncFolder'],
  ] as const)('finds out a store that does not sync its %s', async (_what, method) => {
    let losses = 0;
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const files = new SimulatedFiles();
      const store = await openLowdbStore({ path: PATH, clock, files: careless(files, method) });
      await store.addAddresses(newAddresses(2));
      const found = await recovered(files, seededRandom(attempt)).catch((error: unknown) => codeOf(error));
      if (!isSame(found, durablePart(store.snapshot()))) losses += 1;
    }
    expect(losses).toBeGreaterThan(0);
  });
});

const PATH = '/data/store.json';

function crashingAt(point: number, failing: ReadonlySet<number> = new Set()): SimulatedFiles {
  const files = new SimulatedFiles();
  const fault = (index: number): Fault | undefined => {
    if (index === point) return 'crash';
    return failing.has(index) ? (index % 2 === 0 ? 'EIO' : 'ENOSPC') : undefined;
  };
  files.faults = ({ index }) => fault(index);
  return files;
}

/** How many operations a run without a crash takes. */
async function crashPoints(
  run: (files: SimulatedFiles) => Promise<unknown>,
  failing: ReadonlySet<number> = new Set(),
): Promise<number> {
  const files = crashingAt(-1, failing);
  await run(files);
  return files.operations.length;
}

/** Makes all changes without waiting for any turn's outcome. @returns up to which change, counted from 1, all is acknowledged */
async function overlapping(files: SimulatedFiles, turns: readonly Turn[]): Promise<number> {
  let acknowledged = 0;
  const run = async (): Promise<void> => {
    const store = await openLowdbStore({ path: PATH, clock, files });
    const outcomes: Promise<void>[] = [];
    let made = 0;
    for (const changes of turns) {
      for (const change of changes) {
        made += 1;
        const count = made;
        // A refusal is an answer too, and given only once what it was founded on is durable.
        const noted = (): void => {
          if (change.durable) acknowledged = Math.max(acknowledged, count);
        };
        outcomes.push(change.make(store).then(noted, noted));
      }
      // So that some turns meet a write that is under way at one of its steps.
      for (let step = 0; step < changes.length * 3; step += 1) await Promise.resolve();
    }
    await Promise.all(outcomes);
  };
  await Promise.race([run(), files.crashed]);
  return acknowledged;
}

/** Makes a turn's changes, waits for them, makes the next turn's. @returns the states that the disk may be in */
async function oneByOne(files: SimulatedFiles, turns: readonly Turn[]): Promise<readonly unknown[]> {
  let acknowledged = new MemoryDisk();
  /** Groups that failed since the last one that did not: their rename may have come about. */
  let uncertain: MemoryDisk[] = [];
  const run = async (): Promise<void> => {
    const store = await openLowdbStore({ path: PATH, clock, files });
    for (const changes of turns) {
      const attempted = new MemoryDisk(acknowledged.document);
      const model = await openMemoryStore({ clock, disk: attempted });
      await Promise.allSettled(changes.map((change) => change.make(model)));
      uncertain.push(attempted);
      const outcomes = await Promise.allSettled(changes.map((change) => change.make(store)));
      const failed = outcomes.some(
        (outcome) => outcome.status === 'rejected' && codeOf(outcome.reason) === 'STORE_WRITE_FAILED',
      );
      if (!failed && changes.some((change) => change.durable)) {
        acknowledged = attempted;
        uncertain = [];
      }
      expect(durablePart(store.snapshot())).toEqual(durablePart(acknowledged.document));
    }
  };
  // Opening writes too; a fault there ends the history before it has begun.
  await Promise.race([run().catch(ignoreFailedOpen), files.crashed]);
  return [acknowledged, ...uncertain].map(({ document }) => durablePart(document));
}

function ignoreFailedOpen(error: unknown): void {
  if (codeOf(error) !== 'STORE_WRITE_FAILED' && codeOf(error) !== 'STORE_UNREADABLE') throw error;
}

/** The durable part before the first change and after each. */
async function statesOf(changes: readonly Change[]): Promise<readonly unknown[]> {
  const model = await openMemoryStore({ clock });
  const states = [durablePart(model.snapshot())];
  for (const change of changes) {
    await Promise.allSettled([change.make(model)]);
    states.push(durablePart(model.snapshot()));
  }
  return states;
}

/** Crashes, if that has not happened yet, and opens what is left. */
async function recovered(files: SimulatedFiles, random: () => number): Promise<unknown> {
  const store = await openLowdbStore({ path: PATH, clock, files: files.crash(random) });
  return durablePart(store.snapshot());
}

async function takeIds(files: SimulatedFiles, given: number[]): Promise<void> {
  const store = await openLowdbStore({ path: PATH, clock, files });
  for (let round = 0; round < 5; round += 1) {
    for (let count = 0; count < 30; count += 1) given.push(store.nextVmId());
    await store.setParams({ free_count: round + 1 });
  }
}

function careless(files: SimulatedFiles, method: 'sync' | 'syncFolder'): SimulatedFiles {
  if (method === 'syncFolder') return Object.assign(files, { syncFolder: async () => undefined });
  const create = files.create.bind(files);
  return Object.assign(files, {
    create: async (path: string) => Object.assign(await create(path), { sync: async () => undefined }),
  });
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
