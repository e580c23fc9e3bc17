import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, seededRandom } from '../actors/kit/mod.ts';
import type { Data, Item } from './frame.ts';
import { Outbox } from './outbox.ts';
import { Stream } from './stream.ts';

type Sent = Pick<Data, 'seq' | 'ack' | 'isGap' | 'items'>;

const LIMITS = { outboxMessagesMax: 1_000, outboxBytesMax: 100_000, windowBytes: 4_000 };
const PAYLOAD_BYTES_MAX = 2_000;

const item = (n: number, size = 4): Item => {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, n);
  return { to: 1, waits: false, bytes };
};
const numberOf = ({ bytes }: Item): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

/** Two ends on one clock; each frame waits in `way` until a test carries it. */
function pair(clock: ManualClock) {
  const ways: [Sent[], Sent[]] = [[], []];
  const taken: [number[], number[]] = [[], []];
  const end = (at: 0 | 1): Stream =>
    new Stream({
      clock,
      limits: LIMITS,
      payloadBytesMax: () => PAYLOAD_BYTES_MAX,
      send: (frame) => ways[at].push(frame),
      onItems: (items) => taken[at].push(...items.map(numberOf)),
      onTaken: () => undefined,
    });
  return { ends: [end(0), end(1)] as const, ways, taken };
}

describe('a stream', () => {
  it('carries all items once and in order, whatever the network does to frames, once it lets some through', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 }),
        async (seed, bursts) => {
          const chance = seededRandom(seed);
          const clock = new ManualClock();
          const { ends, ways, taken } = pair(clock);
          const wanted: [number[], number[]] = [[], []];
          let isFair = false;
          /** Loses, doubles and changes the order of frames. */
          const carry = (): void => {
            for (const at of [0, 1] as const) {
              const frames = ways[at].splice(0);
              if (!isFair) frames.sort(() => chance() - 0.5);
              for (const frame of frames) {
                const kind = isFair ? 1 : chance();
                if (kind < 0.3) continue;
                ends[1 - at]?.receive(frame);
                if (kind < 0.5) ways[at].push(frame);
              }
            }
          };
          let n = 0;
          const rounds = async (count: number): Promise<void> => {
            for (let round = 0; round < count; round++) {
              carry();
              await clock.advance(25);
            }
          };
          for (const burst of bursts) {
            for (let added = 0; added < burst; added++) {
              const at = chance() < 0.5 ? 0 : 1;
              n += 1;
              ends[at].add(item(n, 4 + Math.floor(chance() * 200)));
              wanted[1 - at]?.push(n);
            }
            await rounds(2);
          }
          isFair = true;
          await rounds(200);
          expect(taken).toEqual(wanted);
          expect(ends.map(({ outbox }) => [outbox.size, outbox.hasRoom])).toEqual([
            [0, true],
            [0, true],
          ]);
          // At rest nothing is sent, and no timer runs.
          await rounds(100);
          expect([ways, clock.pending]).toEqual([[[], []], 0]);
        },
      ),
      { numRuns: fc.readConfigureGlobal().numRuns ?? 30, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('sends anew less and less often while nothing is taken, and at once when a gap is told', async () => {
    const clock = new ManualClock();
    const { ends, ways } = pair(clock);
    ends[0].add(item(1));
    const times: number[] = [];
    for (let ms = 0; ms < 10_000; ms += 50) {
      await clock.advance(50);
      if (ways[0].splice(0).length > 0) times.push(clock.monotonic());
    }
    expect(times).toEqual([50, 300, 900, 2_100, 4_100, 6_100, 8_100]);
    ends[0].receive({ seq: 0, ack: 0, isGap: true, items: [] });
    expect(ways[0].length).toBe(1);
    // Of several notices of one gap one counts.
    ends[0].receive({ seq: 0, ack: 0, isGap: true, items: [] });
    expect(ways[0].length).toBe(1);
  });

  it('sends a frame anew only after its own time, although the timer of an earlier one runs', async () => {
    const clock = new ManualClock();
    const { ends, ways } = pair(clock);
    ends[0].add(item(1));
    await clock.advance(10);
    ends[0].receive({ seq: 0, ack: 1, isGap: false, items: [] });
    await clock.advance(280);
    ends[0].add(item(2));
    await clock.advance(299);
    expect(ways[0].map(({ seq }) => seq)).toEqual([1, 2]);
    await clock.advance(1);
    expect(ways[0].map(({ seq }) => seq)).toEqual([1, 2, 2]);
  });

  it('acknowledges with the next frame, or by itself a little later', async () => {
    const clock = new ManualClock();
    const { ends, ways } = pair(clock);
    ends[1].receive({ seq: 1, ack: 0, isGap: false, items: [item(1)] });
    ends[1].add(item(2));
    await new Promise((flushed) => setImmediate(flushed));
    expect(ways[1]).toMatchObject([{ seq: 1, ack: 1 }]);
    ends[1].receive({ seq: 2, ack: 1, isGap: false, items: [item(3)] });
    await clock.advance(49);
    expect(ways[1].length).toBe(1);
    await clock.advance(1);
    expect(ways[1].slice(1)).toMatchObject([{ seq: 0, ack: 2 }]);
  });
});

/** What is due in this round of the event loop is sent. */
function flushed(): Promise<void> {
  return new Promise((done) => {
    setImmediate(done);
  });
}

function frame(seq: number, ...items: readonly Item[]): Sent {
  return { seq, ack: 0, isGap: false, items };
}

describe('a stream, frame by frame', () => {
  it('acknowledges a frame that comes twice once more, and counts it', async () => {
    const { ends, ways, taken } = pair(new ManualClock());
    ends[1].receive(frame(1, item(1)));
    ends[1].receive(frame(1, item(1)));
    await flushed();
    expect([taken[1], ways[1]]).toEqual([[1], [{ seq: 0, ack: 1, isGap: false, items: [] }]]);
    expect(ends[1].counts).toEqual({ doubled: 1, early: 0, resent: 0 });
  });

  it('tells of each gap once', async () => {
    const { ends, ways, taken } = pair(new ManualClock());
    const gapsToldAfter = async (seq: number): Promise<number> => {
      ends[1].receive(frame(seq, item(seq)));
      await flushed();
      return ways[1].splice(0).filter(({ isGap }) => isGap).length;
    };
    expect([await gapsToldAfter(2), await gapsToldAfter(3)]).toEqual([1, 0]);
    expect([await gapsToldAfter(1), await gapsToldAfter(3), await gapsToldAfter(4)]).toEqual([0, 1, 0]);
    expect([taken[1], ends[1].counts]).toEqual([[1], { doubled: 0, early: 4, resent: 0 }]);
  });

  it('waits no longer than at first once something was taken, and counts what it sends anew', async () => {
    const clock = new ManualClock();
    const { ends, ways } = pair(clock);
    ends[0].add(item(1));
    await clock.advance(1_000);
    ends[0].receive({ seq: 0, ack: 1, isGap: false, items: [] });
    expect([ways[0].splice(0).length, ends[0].counts.resent]).toEqual([3, 2]);
    // The timer of the first frame finds nothing on its way.
    await clock.advance(2_000);
    ends[0].add(item(2));
    await clock.advance(299);
    expect(ways[0].map(({ seq }) => seq)).toEqual([2]);
    await clock.advance(1);
    expect(ways[0].map(({ seq }) => seq)).toEqual([2, 2]);
  });

  it('takes an empty way for no failure', async () => {
    const clock = new ManualClock();
    const { ends, ways } = pair(clock);
    ends[0].add(item(1));
    await clock.advance(10);
    ends[0].receive({ seq: 0, ack: 1, isGap: false, items: [] });
    await clock.advance(400);
    ends[0].add(item(2));
    await clock.advance(300);
    expect(ways[0].map(({ seq }) => seq)).toEqual([1, 2, 2]);
  });

  it('acknowledges at once after each quarter of the window', async () => {
    const { ends, ways } = pair(new ManualClock());
    const acksAfter = async (seq: number, bytes: number): Promise<readonly number[]> => {
      ends[1].receive(frame(seq, item(seq, bytes)));
      await flushed();
      return ways[1].splice(0).map(({ ack }) => ack);
    };
    expect([await acksAfter(1, 1_000), await acksAfter(2, 996), await acksAfter(3, 4)]).toEqual([[1], [], [3]]);
  });

  it('sends and takes nothing once it is closed', async () => {
    const { ends, ways, taken } = pair(new ManualClock());
    ends[0].add(item(1));
    ends[0].acknowledge();
    expect(ends[0].close()).toEqual({ mayHaveArrived: 0, unsent: 1 });
    ends[0].receive(frame(1, item(2)));
    await flushed();
    expect([ways[0], taken[0]]).toEqual([[], []]);
  });
});

describe('an outbox', () => {
  it('has room below half of its messages', () => {
    const outbox = new Outbox(LIMITS);
    for (let n = 1; n < 500; n++) outbox.add(item(n));
    expect(outbox.hasRoom).toBe(true);
    outbox.add(item(500));
    expect(outbox.hasRoom).toBe(false);
  });

  it('fills a frame up to the payload, and no further than one host may keep another busy', () => {
    const outbox = new Outbox({ ...LIMITS, windowBytes: 1_000_000 });
    for (let n = 1; n <= 100; n++) outbox.add(item(n, 984));
    // 96 bytes for the frame, and 16 beside each item.
    expect(outbox.next(96 + 10_999)?.items).toHaveLength(10);
    expect(outbox.next(96 + 11_000)?.items).toHaveLength(11);
    expect(outbox.next(1_000_000)?.items).toHaveLength(65);
  });

  it('has no more on the way than its window, but one frame always, and is full at its limits', () => {
    const outbox = new Outbox({ outboxMessagesMax: 10, outboxBytesMax: 10_000, windowBytes: 1_000 });
    outbox.add(item(1, 1_500));
    outbox.add(item(2, 100));
    expect(outbox.next(10_000)?.items.map(numberOf)).toEqual([1, 2]);
    outbox.add(item(3));
    expect(outbox.next(10_000)).toBeUndefined();
    expect(outbox.acknowledged(1)).toBe(true);
    expect(outbox.next(10_000)?.items.map(numberOf)).toEqual([3]);
    for (let n = 4; n < 12; n++) outbox.add(item(n));
    expect(outbox.isFull).toBe(false);
    outbox.add(item(12));
    expect([outbox.isFull, outbox.size]).toEqual([true, 10]);
    const frame = outbox.next(10_000);
    outbox.left(frame?.seq ?? 0);
    expect(outbox.close()).toEqual({ mayHaveArrived: 10, unsent: 0 });
    expect([outbox.size, outbox.hasRoom, outbox.isFull]).toEqual([0, true, false]);
  });

  it('is full by its bytes, too', () => {
    const outbox = new Outbox({ outboxMessagesMax: 10, outboxBytesMax: 1_000, windowBytes: 1_000 });
    outbox.add(item(1, 499));
    expect([outbox.hasRoom, outbox.isFull]).toEqual([true, false]);
    outbox.add(item(2, 501));
    expect([outbox.hasRoom, outbox.isFull]).toEqual([false, true]);
    outbox.next(10_000);
    outbox.acknowledged(1);
    expect([outbox.hasRoom, outbox.isFull]).toEqual([true, false]);
  });
});
