import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import { createSystem, type Ref } from './mod.ts';

/** Handles a message each time the test lets it. */
function slow(): { readonly next: () => void; readonly receive: (message: number) => Promise<void>; seen: number[] } {
  const waiting: (() => void)[] = [];
  const seen: number[] = [];
  return {
    next: () => waiting.shift()?.(),
    receive: async (message) => {
      seen.push(message);
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    seen,
  };
}

describe('backpressure', () => {
  it('holds the sender after the message in hand until the mailbox is half empty; nothing is lost', async () => {
    await using kit = testKit();
    const worker = slow();
    const receiver = kit.system.spawn<number>(() => worker.receive, { capacity: 4, overflow: 'backpressure' });
    const sent: number[] = [];
    const sender = kit.system.spawn<number>(() => (n) => {
      sent.push(n);
      receiver.tell(n);
    });
    for (let n = 1; n <= 10; n++) sender.tell(n);
    await kit.settle();
    // One message is in hand and four wait. The sixth pauses the sender.
    expect(sent).toEqual([1, 2, 3, 4, 5]);
    for (let n = 0; n < 2; n++) {
      worker.next();
      await kit.settle();
    }
    expect(sent).toEqual([1, 2, 3, 4, 5]);
    worker.next();
    await kit.settle();
    // Two wait, half of its capacity.
    expect(sent.length).toBeGreaterThan(5);
    for (let n = 0; n < 12; n++) {
      worker.next();
      await kit.settle();
    }
    expect(worker.seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('holds a sender whose handler goes on after it has sent, until both are done', async () => {
    await using kit = testKit();
    const worker = slow();
    const receiver = kit.system.spawn<number>(() => worker.receive, { capacity: 1, overflow: 'backpressure' });
    const begun: number[] = [];
    const sender = kit.system.spawn<number>(() => async (n) => {
      begun.push(n);
      receiver.tell(n);
      await Promise.resolve();
    });
    for (const n of [1, 2, 3, 4, 5]) sender.tell(n);
    await kit.settle();
    const before = [...begun];
    for (let n = 0; n < 6; n++) {
      worker.next();
      await kit.settle();
    }
    expect(before.length).toBeLessThan(5);
    expect(worker.seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuses what comes from no actor, and what finds twice the capacity', async () => {
    await using kit = testKit();
    const receiver = kit.system.spawn<number>(() => () => new Promise(() => undefined), {
      capacity: 2,
      overflow: 'backpressure',
      stopTimeoutMs: 1,
    });
    receiver.tell(0);
    await kit.settle();
    expect([1, 2, 3].map((n) => receiver.tell(n))).toEqual([true, true, false]);
    const taken: boolean[] = [];
    const sender = kit.system.spawn<'go'>(() => () => {
      for (const n of [4, 5, 6]) taken.push(receiver.tell(n));
    });
    sender.tell('go');
    await kit.settle();
    expect(taken).toEqual([true, true, false]);
    expect(kit.system.deadLetters.latest().map(({ message, why }) => [message, why])).toEqual([
      [3, 'mailbox-full'],
      [6, 'mailbox-full'],
    ]);
  });

  it('lets nobody wait for himself, not even through others', async () => {
    await using kit = testKit();
    type Message = { readonly to: Ref<Message>; readonly times: number };
    const options = { capacity: 1, overflow: 'backpressure' } as const;
    const relay = () => {
      const taken: boolean[] = [];
      const ref = kit.system.spawn<Message>(
        () =>
          ({ to, times }) => {
            for (let n = 0; n < times; n++) taken.push(to.tell({ to, times: 0 }));
          },
        options,
      );
      return { ref, taken };
    };
    const [one, two] = [relay(), relay()];
    one.ref.tell({ to: one.ref, times: 2 });
    await kit.settle();
    expect(one.taken).toEqual([true, false]);
    one.ref.tell({ to: two.ref, times: 2 });
    two.ref.tell({ to: one.ref, times: 2 });
    await kit.settle();
    one.ref.tell({ to: one.ref, times: 0 });
    await kit.settle();
    expect(kit.system.tree().children.map(({ depth }) => depth)).toEqual([0, 0]);
  });

  it('lets go of senders when the receiver ends, and of receivers when a held sender ends', async () => {
    await using kit = testKit();
    const options = { capacity: 1, overflow: 'backpressure', stopTimeoutMs: 1 } as const;
    const hangs = () => () => new Promise<void>(() => undefined);
    const [first, second] = [kit.system.spawn<number>(hangs, options), kit.system.spawn<number>(hangs, options)];
    const seen: number[] = [];
    const feeder = (to: Ref<number>) =>
      kit.system.spawn<number>(() => (n) => {
        seen.push(n);
        to.tell(n);
      });
    const [released, stopped] = [feeder(first), feeder(second)];
    for (const n of [1, 2, 3, 4]) {
      released.tell(n);
      stopped.tell(10 * n);
    }
    await kit.settle();
    expect(seen).not.toContain(4);
    void kit.system.stop(first);
    await kit.system.stop(stopped);
    await kit.advance(1);
    expect(seen).toContain(4);
    expect(seen).not.toContain(40);
    void kit.system.stop(second);
    await kit.advance(1);
    expect(kit.system.tree().children.map(({ path }) => path)).toEqual([released.path]);
  });

  it('does not hold the next incarnation of a sender that ended while it was held', async () => {
    await using kit = testKit();
    const full = kit.system.spawn<number>(() => () => new Promise(() => undefined), {
      capacity: 1,
      overflow: 'backpressure',
      stopTimeoutMs: 1,
    });
    const begun: number[] = [];
    let sender: Ref<number> | undefined;
    const parent = kit.system.spawn<'restart'>((context) => {
      const own = context.spawn<number>(() => (n) => {
        begun.push(n);
        if (n < 10) full.tell(n);
      });
      sender = own;
      return async () => {
        await context.stop(own);
        await context.restart(own);
      };
    });
    for (const n of [1, 2, 3, 4]) sender?.tell(n);
    await kit.settle();
    const before = begun.length;
    expect(begun).not.toContain(4);
    parent.tell('restart');
    await kit.settle();
    for (const n of [10, 11]) sender?.tell(n);
    await kit.settle();
    expect(begun.slice(before)).toEqual([10, 11]);
  });
});

describe('offer', () => {
  it('is taken at once while there is room, else as soon as there is, in order', async () => {
    await using kit = testKit();
    const worker = slow();
    const receiver = kit.system.spawn<number>(() => worker.receive, { capacity: 2, overflow: 'backpressure' });
    const offers = [1, 2, 3, 4, 5].map((n) => kit.system.offer(receiver, n));
    for (let n = 0; n < 5; n++) {
      await kit.settle();
      worker.next();
    }
    expect(await Promise.all(offers)).toEqual([true, true, true, true, true]);
    expect(worker.seen).toEqual([1, 2, 3, 4, 5]);
    expect(kit.system.deadLetters.count).toBe(0);
    worker.next();
  });

  it('does not overtake those that were made before it', async () => {
    await using kit = testKit();
    const seen: number[] = [];
    const receiver = kit.system.spawn<number>(
      (context) => (n) => {
        seen.push(n);
        // There is room again, for which 2 waits.
        if (n === 1) context.pipe(context.offer(context.self, 3), () => 4, Number);
      },
      { capacity: 1, overflow: 'backpressure' },
    );
    const offers = [1, 2].map((n) => kit.system.offer(receiver, n));
    await Promise.all(offers);
    await kit.settle();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('is a dead letter of its sender when the receiver ends meanwhile', async () => {
    await using kit = testKit();
    const receiver = kit.system.spawn<number>(() => () => new Promise(() => undefined), {
      name: 'receiver',
      capacity: 1,
      stopTimeoutMs: 1,
    });
    const p = kit.probe<boolean>();
    const sender = kit.system.spawn<'go' | boolean>(
      (context) => (message) => {
        if (message !== 'go') return void p.ref.tell(message);
        receiver.tell(1);
        context.pipe(context.offer(receiver, 2), Boolean, Boolean);
      },
      { name: 'sender' },
    );
    sender.tell('go');
    await kit.settle();
    expect(p.received).toEqual([]);
    await Promise.all([kit.system.stop(receiver), kit.advance(1)]);
    await p.expect((taken) => taken === false);
    expect(kit.system.deadLetters.latest()).toContainEqual({
      from: '/sender',
      to: '/receiver',
      message: 2,
      why: 'stopped',
    });
    expect(await kit.system.offer(receiver, 3)).toBe(false);
  });

  it('lets a producer outside of the system go as fast as the actor', async () => {
    const system = createSystem();
    let depthMax = 0;
    let handled = 0;
    const ref = system.spawn<number>(() => () => void handled++, { capacity: 10 });
    for (let n = 0; n < 1000; n++) {
      expect(await system.offer(ref, n)).toBe(true);
      depthMax = Math.max(depthMax, system.tree().children[0]?.depth ?? 0);
    }
    await system.offer(ref, 1000);
    await new Promise((resolve) => setImmediate(resolve));
    await system.shutdown();
    expect(handled).toBe(1001);
    expect(depthMax).toBeLessThanOrEqual(10);
  });
});
