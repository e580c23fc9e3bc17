import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder } from './in-order.ts';

const never = new AbortController().signal;

/** Work that the test ends by hand, in any order. */
class Works {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, PromiseWithResolvers<string>>();

  readonly work = (item: number): Promise<string> => {
    this.begun.push(item);
    const end = Promise.withResolvers<string>();
    this.#ends.set(item, end);
    return end.promise;
  };

  end(item: number): void {
    this.#ends.get(item)?.resolve(`done ${item}`);
  }

  fail(item: number): void {
    this.#ends.get(item)?.reject(new Error(`failed ${item}`));
  }
}

function* countingFrom(first: number, last = Number.POSITIVE_INFINITY): Generator<number> {
  for (let number = first; number <= last; number++) yield number;
}

/** A source that the test feeds. */
class Feed implements AsyncIterable<number> {
  asked = 0;
  returned = false;
  #next = Promise.withResolvers<IteratorResult<number>>();

  give(value: number): void {
    this.#next.resolve({ done: false, value });
  }

  break(): void {
    this.#next.reject(new Error('the source broke'));
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: () => {
        this.asked += 1;
        this.#next = Promise.withResolvers();
        return this.#next.promise;
      },
      return: () => {
        this.returned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** Lets everything that is ready run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('results come in the order of the items, whichever is done first', async () => {
  const works = new Works();
  const results = inOrder([1, 2, 3], { concurrency: 3, work: works.work, stop: never });
  const first = results.next();
  await settled();
  for (const item of [3, 2, 1]) works.end(item);
  expect((await first).value).toBe('done 1');
  expect((await results.next()).value).toBe('done 2');
  expect((await results.next()).value).toBe('done 3');
  expect(await results.next()).toEqual({ done: true, value: true });
});

test('no more is read than may be worked on, however much there is and however slowly results are taken', async () => {
  const works = new Works();
  const results = inOrder(countingFrom(1), { concurrency: 4, work: works.work, stop: never });
  const first = results.next();
  await settled();
  expect(works.begun).toEqual([1, 2, 3, 4]);
  for (const item of [1, 2, 3, 4]) works.end(item);
  await first;
  await settled();
  expect(works.begun).toEqual([1, 2, 3, 4]);
  await results.next();
  expect(works.begun.length).toBeLessThanOrEqual(6);
  await results.return(true);
});

test('a result does not wait for input that has yet to come', async () => {
  const feed = new Feed();
  const works = new Works();
  const results = inOrder(feed, { concurrency: 8, work: works.work, stop: never });
  const first = results.next();
  await settled();
  feed.give(1);
  await settled();
  works.end(1);
  expect((await first).value).toBe('done 1');
  expect(feed.asked).toBe(2);
});

test('a source that breaks is told after the results of what came before', async () => {
  const feed = new Feed();
  const works = new Works();
  const results = inOrder(feed, { concurrency: 8, work: works.work, stop: never });
  const first = results.next();
  await settled();
  feed.give(1);
  await settled();
  feed.break();
  await settled();
  works.end(1);
  expect((await first).value).toBe('done 1');
  await expect(results.next()).rejects.toThrow('the source broke');
});

test('work that rejects ends it, and nobody hears of the rest', async () => {
  const works = new Works();
  const results = inOrder(countingFrom(1), { concurrency: 2, work: works.work, stop: never });
  const first = results.next();
  await settled();
  works.fail(2);
  works.fail(1);
  await expect(first).rejects.toThrow('failed 1');
  expect(await results.next()).toMatchObject({ done: true });
});

test('leaving early closes the source', async () => {
  let closed = false;
  const source = (function* () {
    try {
      yield* countingFrom(1);
    } finally {
      closed = true;
    }
  })();
  for await (const result of inOrder(source, { concurrency: 2, work: async (item) => item, stop: never })) {
    if (result === 5) break;
  }
  expect(closed).toBe(true);
});

test('leaving early does not wait for a source that says nothing', async () => {
  const feed = new Feed();
  const works = new Works();
  const results = inOrder(feed, { concurrency: 2, work: works.work, stop: never });
  const first = results.next();
  await settled();
  feed.give(1);
  await settled();
  works.end(1);
  await first;
  await results.return(true);
  expect(feed.returned).toBe(true);
});

test('told to stop it reads no more, and gives what is in work', async () => {
  const stop = new AbortController();
  const works = new Works();
  const feed = new Feed();
  const results = inOrder(feed, { concurrency: 2, work: works.work, stop: stop.signal });
  const first = results.next();
  await settled();
  feed.give(1);
  await settled();
  stop.abort();
  works.end(1);
  expect((await first).value).toBe('done 1');
  expect(await results.next()).toEqual({ done: true, value: false });
});

test('whatever order the works end in, the results are in order and no more are in work than may be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.nat(12),
      fc.integer({ min: 1, max: 5 }),
      async (scheduler, count, concurrency) => {
        let inWork = 0;
        const work = async (item: number): Promise<number> => {
          inWork += 1;
          expect(inWork).toBeLessThanOrEqual(concurrency);
          await scheduler.schedule(Promise.resolve(), `work ${item}`);
          inWork -= 1;
          return item;
        };
        const source = (async function* () {
          for (const item of countingFrom(1, count))
            yield await scheduler.schedule(Promise.resolve(item), `item ${item}`);
        })();
        const results: number[] = [];
        const all = (async () => {
          for await (const result of inOrder(source, { concurrency, work, stop: never })) results.push(result);
        })();
        await scheduler.waitFor(all);
        expect(results).toEqual([...countingFrom(1, count)]);
      },
    ),
  );
});

test('a million items go through', async () => {
  let sum = 0;
  const numbers = countingFrom(1, 1_000_000);
  for await (const item of inOrder(numbers, { concurrency: 64, work: async (item) => item, stop: never })) sum += item;
  expect(sum).toBe(500_000_500_000);
});
