export interface InOrderOptions<In, Out> {
  /** Items that are worked on, or done and not yet taken, at a time. */
  readonly concurrency: number;
  /** Rejects only for a defect, which ends the whole. */
  readonly work: (item: In, index: number) => Promise<Out>;
  /** From then on nothing more is read; what is in work still comes out. */
  readonly stop: AbortSignal;
}

/**
 * Works on several items at a time and gives the results in the order of the items. It reads only as far ahead as `concurrency` allows, so
 * that an input without end and a slow reader need no more memory than that; a result does not wait for input that has yet to come.
 * @returns whether the source was read to its end
 * @throws what the source threw, after the results of the items before that
 */
export async function* inOrder<In, Out>(
  source: AsyncIterable<In> | Iterable<In>,
  options: InOrderOptions<In, Out>,
): AsyncGenerator<Out, boolean, undefined> {
  const bell = new Bell();
  const reader = new ItemReader(source, bell);
  const slots: Slot<Out>[] = [];
  const { concurrency, work, stop } = options;
  const onStop = (): void => bell.ring();
  stop.addEventListener('abort', onStop);
  try {
    for (let index = 0; ; ) {
      const mayRead = !stop.aborted && !reader.ended;
      if (mayRead && slots.length < concurrency) reader.read();
      const item = mayRead ? reader.take() : undefined;
      const [head] = slots;
      if (item !== undefined) {
        slots.push(new Slot(work(item.value, index++), bell));
      } else if (head?.isDone === true) {
        slots.shift();
        yield head.result;
      } else if (!mayRead && head === undefined) {
        break;
      } else {
        await bell.rung();
      }
    }
    if (reader.failure !== undefined) throw reader.failure.reason;
    return reader.ended;
  } finally {
    stop.removeEventListener('abort', onStop);
    await reader.close();
  }
}

/** Wakes the one that waits, whatever has happened. Racing the promises would let each race stand on those that outlive it. */
class Bell {
  #rang = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#rang = true;
    this.#wake();
  }

  async rung(): Promise<void> {
    if (!this.#rang) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rang = false;
  }
}

/** One item at a time from the source. */
class ItemReader<In> {
  readonly #iterator: AsyncIterator<In> | Iterator<In>;
  readonly #bell: Bell;
  #isReading = false;
  #item: { readonly value: In } | undefined;
  ended = false;
  failure: { readonly reason: unknown } | undefined;

  constructor(source: AsyncIterable<In> | Iterable<In>, bell: Bell) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#bell = bell;
  }

  /** Begins to read the next item, unless it is there or on its way. */
  read(): void {
    if (this.#isReading || this.#item !== undefined || this.ended) return;
    this.#isReading = true;
    void this.#read();
  }

  take(): { readonly value: In } | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  /** A source that is still asked for an item hears of it when it answers, and nobody waits for that: it may never do so. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    const closing = this.#iterator.return?.();
    if (!this.#isReading) await closing;
    else if (closing instanceof Promise) closing.catch(() => undefined);
  }

  async #read(): Promise<void> {
    try {
      const next = await this.#iterator.next();
      if (next.done === true) this.ended = true;
      else this.#item = { value: next.value };
    } catch (reason) {
      this.ended = true;
      this.failure = { reason };
    }
    this.#isReading = false;
    this.#bell.ring();
  }
}

/** The place of one result among the others. */
class Slot<Out> {
  #end: { readonly result: Out } | { readonly reason: unknown } | undefined;

  constructor(work: Promise<Out>, bell: Bell) {
    work.then(
      (result) => {
        this.#end = { result };
        bell.ring();
      },
      (reason: unknown) => {
        this.#end = { reason };
        bell.ring();
      },
    );
  }

  get isDone(): boolean {
    return this.#end !== undefined;
  }

  get result(): Out {
    if (this.#end !== undefined && 'result' in this.#end) return this.#end.result;
    throw this.#end?.reason;
  }
}
