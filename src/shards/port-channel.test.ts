import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { probe } from '../actors/kit/mod.ts';
import {
  type ActorSystem,
  addresseeOf,
  type Context,
  createSystem,
  type DeadLetter,
  type Ref,
  transfer,
} from '../actors/mod.ts';
import { RemoteRef } from '../refs/mod.ts';
import { WINDOW_MAX } from './batch-writer.ts';
import { pairBuffer } from './pair-tally.ts';
import { Peers } from './peers.ts';
import { PortChannel } from './port-channel.ts';
import { TalliedMailbox, Tally } from './tally.ts';
import { patience } from './testing/fixture.ts';

interface End {
  readonly system: ActorSystem;
  readonly channel: PortChannel;
  readonly letters: DeadLetter[];
  readonly defects: string[];
  /** What it counts, as a shard does. */
  readonly tally: Tally;
  batches: number;
}

/** Both ends of a channel, on this thread; each has an actor system of its own. */
function twoEnds(): { here: End; there: End } {
  const { port1, port2 } = new MessageChannel();
  const end = (port: typeof port1, peer: string): End => {
    const letters: DeadLetter[] = [];
    const defects: string[] = [];
    const tally = new Tally();
    const system = createSystem({
      onDeadLetter: (letter) => letters.push(letter),
      mailbox: <M>() => new TalliedMailbox<M>(tally),
    });
    const made: End = {
      system,
      tally,
      letters,
      defects,
      batches: 0,
      channel: new PortChannel({
        port,
        system,
        peer,
        tally,
        placed: () => undefined,
        placedIdOf: () => undefined,
        onEvent: () => undefined,
        onHeard: () => {
          made.batches += 1;
        },
        onDefect: (path) => defects.push(path),
      }),
    };
    onTestFinished(async () => {
      made.channel.close({ kind: 'shutdown' });
      await system.shutdown();
    });
    return made;
  };
  return { here: end(port1, 'there'), there: end(port2, 'here') };
}

/** The ref that `to` has for an actor of `from`. */
function sent<M>(from: End, to: End, ref: Ref<M>): Ref<M> {
  // A ref is decoded as a ref of the same actor.
  return to.channel.decode(structuredClone(from.channel.encode(ref, 'a ref'))) as Ref<M>;
}

describe('a channel', () => {
  it('posts all of a turn at once', async () => {
    const { here, there } = twoEnds();
    const received = probe<number>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    for (let n = 0; n < 64; n++) ref.tell(n);
    await received.fishFor((n) => n === 63);
    expect(there.batches).toBe(1);
  });

  it('keeps the order of messages, also of those that give a buffer away', async () => {
    const { here, there } = twoEnds();
    const received = probe<{ readonly n: number }>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    for (let n = 0; n < 6; n++) {
      const bytes = new Uint8Array([n]);
      ref.tell(n % 3 === 1 ? transfer({ n, bytes }, [bytes.buffer]) : { n });
    }
    await received.fishFor(({ n }) => n === 5);
    expect(received.received.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('lets no tell overtake an offer that was awaited before it and waits at the other end', async () => {
    const { here, there } = twoEnds();
    const seen: number[] = [];
    let go = (): void => undefined;
    const slow = there.system.spawn<number>(
      () => (n) => {
        seen.push(n);
        return new Promise<void>((resolve) => {
          go = resolve;
        });
      },
      { name: 'slow', capacity: 1 },
    );
    const ref = sent(there, here, slow);
    expect(await Promise.all([here.system.offer(ref, 1), here.system.offer(ref, 2)])).toEqual([true, true]);
    await vi.waitUntil(() => seen.length === 1);
    // The first is in hand now, so the mailbox has room, and the second waits for the end of the turn.
    expect(ref.tell(3)).toBe(true);
    await vi.waitUntil(() => there.letters.length > 0 || addresseeOf(slow).depth > 0);
    go();
    await vi.waitUntil(() => seen.length === 2);
    expect([seen, there.letters]).toEqual([[1, 2], [{ from: '-', to: '/slow', message: 3, why: 'mailbox-full' }]]);
    go();
  });

  it('keeps no ref of arguments that turn out not to cross', async () => {
    const { here } = twoEnds();
    const own = here.system.spawn<number>(() => () => undefined);
    // Only the clone finds out.
    const list = Object.assign([1], { extra: () => 1 });
    expect(() => here.channel.encode({ own, list }, 'the arguments')).toThrow(
      expect.objectContaining({ code: 'MESSAGE_NOT_PLAIN' }),
    );
    expect(here.channel.counts.refs).toBe(0);
  });

  it('keeps no ref of a message that was to go by the main thread, and whose buffers cannot', async () => {
    const { here, there } = twoEnds();
    const far = sent(
      there,
      here,
      there.system.spawn<unknown>(() => () => undefined),
    );
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    const peers = new Peers({
      system: here.system,
      tally: here.tally,
      main: here.channel,
      placed: () => undefined,
      onDefect: (path) => here.defects.push(path),
      onClosed: () => undefined,
    });
    onTestFinished(() => peers.obey({ op: 'peer-gone', thread: 2, reason: { kind: 'shutdown' } }));
    peers.obey({ op: 'peer', thread: 2, name: 'two', port: port1, side: 0, tally: pairBuffer() });
    if (!(far instanceof RemoteRef)) throw new Error('it is an actor of the other end');
    peers.obey({ op: 'route', id: far.id, thread: 2, actor: -1, n: undefined, ask: undefined });
    const own = here.system.spawn<number>(() => () => undefined);
    const bytes = new Uint8Array(8);
    // Only the post finds out.
    const list = Object.assign([1], { extra: () => 1 });
    expect(() => far.tell(transfer({ own, list, bytes }, [bytes.buffer]))).toThrow('cannot be transferred');
    expect(here.channel.counts.refs).toBe(0);
  });

  it('gives the same actor the same ref, and one that comes home is itself', async () => {
    const { here, there } = twoEnds();
    const received = probe<Ref<unknown>>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    expect(sent(there, here, received.ref)).toBe(ref);
    expect(sent(here, there, ref)).toBe(received.ref);
  });

  it('settles an ask whose ref of the reply has crossed very often', async () => {
    const { here, there } = twoEnds();
    const received = there.system.spawn<readonly Ref<string>[]>(
      () =>
        ([first]) =>
          void first?.tell('done'),
    );
    const ref = sent(there, here, received);
    const asked = here.system.ask<readonly Ref<string>[], string>(ref, (to) => Array(50_000).fill(to), 60_000);
    await vi.waitUntil(() => here.channel.counts.refs > 0);
    expect(here.channel.counts.refs).toBe(1);
    expect(await asked).toBe('done');
    expect(here.channel.counts.refs).toBe(0);
  });

  it('takes no more than the other end keeps up with', async () => {
    const { here, there } = twoEnds();
    const received = probe<number>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    let taken = 0;
    for (let n = 0; n < WINDOW_MAX + 10; n++) if (ref.tell(n)) taken += 1;
    expect(taken).toBe(WINDOW_MAX);
    expect(here.letters).toHaveLength(10);
    expect(here.letters[0]).toMatchObject({ to: ref.path, message: WINDOW_MAX, why: 'mailbox-full' });
    await new Promise<void>((resolve) => void here.channel.onRoom(resolve));
    expect(ref.tell(-1)).toBe(true);
    await received.fishFor((n) => n === -1);
  });

  it('goes on with the others when one cannot be cloned after all', async () => {
    const { here, there } = twoEnds();
    const received = probe<unknown>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    const bytes = new Uint8Array(8);
    ref.tell('before');
    ref.tell(bytes);
    ref.tell('after');
    // Its buffer is transferred in the same turn.
    structuredClone(bytes, { transfer: [bytes.buffer] });
    await received.fishFor((message) => message === 'after');
    expect(received.received).toEqual(['before', 'after']);
    expect(here.letters).toMatchObject([{ why: 'invalid', error: { code: 'MESSAGE_NOT_PLAIN' } }]);
  });

  it('reports a ref that throws, and goes on', async () => {
    const { here, there } = twoEnds();
    const received = probe<number>(there.system, { patience });
    const bad: Ref<number> = {
      path: '/bad',
      tell: () => {
        throw new Error('bad');
      },
    };
    const [badRef, ref] = [sent(there, here, bad), sent(there, here, received.ref)];
    badRef.tell(1);
    ref.tell(2);
    await received.expect();
    expect(there.defects).toEqual(['/bad']);
  });

  it('that is closed makes dead letters of what was not sent, and of what comes later', async () => {
    const { here, there } = twoEnds();
    const received = probe<number>(there.system, { patience });
    const ref = sent(there, here, received.ref);
    ref.tell(1);
    here.channel.close({ kind: 'shutdown' });
    expect(ref.tell(2)).toBe(false);
    expect(here.letters.map(({ message, why }) => [message, why])).toEqual([
      [1, 'stopped'],
      [2, 'stopped'],
    ]);
    expect(await here.system.ended(ref)).toMatchObject({ reason: { kind: 'shutdown' } });
  });

  it('that is closed makes dead letters of messages only, not of what it tells the other end', async () => {
    const { here } = twoEnds();
    here.channel.sendEvent('an event');
    here.channel.close({ kind: 'shutdown' });
    expect(here.letters).toEqual([]);
  });

  it('does not keep a failure from the parent, whoever waits for an answer or watches', async () => {
    const { here, there } = twoEnds();
    for (const watches of [false, true]) {
      let child: Ref<string> | undefined;
      const parent = await there.system.start<never>((context) => {
        child = context.spawn<string>(() => () => {
          throw new Error('a failure');
        });
        return () => undefined;
      });
      if (child === undefined) throw new Error('it was spawned');
      const far = sent(there, here, child);
      const seen = watches ? here.system.ended(far) : undefined;
      await expect(here.system.ask(far, () => 'fail', 60_000)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
      await seen;
      // The parent is told a moment later, if at all.
      await new Promise(setImmediate);
      expect(there.system.tree().children.filter(({ path }) => path === parent.path)).toEqual([]);
    }
  });

  it('tells a watcher of each end once, whoever else watches', async () => {
    const { here, there } = twoEnds();
    let own: Context<never> | undefined;
    await there.system.start<never>((context) => {
      own = context;
      return () => undefined;
    });
    if (own === undefined) throw new Error('it has been set at the start');
    const child = own.spawn<never>(() => () => undefined);
    const far = addresseeOf(sent(there, here, child));
    const seen: string[] = [];
    const [one, two] = [{}, {}];
    const first = (): void => far.watch(one, { ended: () => void seen.push('one') });
    const second = (): void => far.watch(two, { ended: () => void seen.push('two') });
    // A request and its reply: by then all that was sent before has come.
    const echo = there.system.spawn<Ref<string>>(() => (replyTo) => void replyTo.tell('x'));
    const farEcho = sent(there, here, echo);
    const settled = () => here.system.ask<Ref<string>, string>(farEcho, (to) => to, 60_000);
    first();
    await settled();
    await own.stop(child);
    await settled();
    first();
    await settled();
    expect(seen).toEqual(['one']);
    second();
    await settled();
    expect(seen).toEqual(['one', 'two']);
    second();
    await settled();
    await own.restart(child);
    await own.stop(child);
    await settled();
    expect(seen).toEqual(['one', 'two', 'one', 'two']);
    first();
    await settled();
    await own.restart(child);
    await own.stop(child);
    second();
    await settled();
    expect(seen.toSorted()).toEqual(['one', 'one', 'one', 'two', 'two', 'two']);
  });

  it('keeps no refs of a message that did not leave', async () => {
    const { here, there } = twoEnds();
    const far = sent(there, here, probe<unknown>(there.system, { patience }).ref);
    const local = here.system.spawn(() => () => undefined);
    const bytes = new ArrayBuffer(8);
    for (let n = 0; n < 10; n++) far.tell({ bytes, local, map: new Map([['local', local]]) });
    expect(here.channel.counts.refs).toBe(1);
    structuredClone(bytes, { transfer: [bytes] });
    await expect.poll(() => here.letters.length).toBe(10);
    expect(here.channel.counts.refs).toBe(0);
  });

  it.each(['tell', 'offer'] as const)('makes a dead letter of a %s that can no longer be cloned', async (how) => {
    const { here, there } = twoEnds();
    const received = probe<{ bytes: ArrayBuffer }>(there.system, { patience });
    const far = sent(there, here, received.ref);
    const bytes = new ArrayBuffer(8);
    const taken = how === 'tell' ? far.tell({ bytes }) : here.system.offer(far, { bytes });
    structuredClone(bytes, { transfer: [bytes] });
    await taken;
    await expect.poll(() => here.letters.length).toBe(1);
    expect(here.letters).toMatchObject([{ why: 'invalid', error: { code: 'MESSAGE_NOT_PLAIN' } }]);
    expect(here.channel.unacknowledged).toBe(0);
  });

  it('gives up an offer that waits for the mailbox at its other end', async () => {
    const { here, there } = twoEnds();
    const stuck = there.system.spawn<number>(() => () => new Promise(() => undefined), {
      capacity: 1,
      stopTimeoutMs: 1,
    });
    const far = sent(there, here, stuck);
    // One in hand, one in the mailbox, one that waits before it: from then on offers wait here.
    for (let n = 0; n < 3; n++) expect(await here.system.offer(far, n)).toBe(true);
    await expect.poll(() => here.system.offer(far, -1, { timeoutMs: 1 })).toBe(false);
    const giveUp = new AbortController();
    const waits = here.system.offer(far, -2, { signal: giveUp.signal });
    giveUp.abort();
    expect(await waits).toBe(false);
    expect(here.letters.slice(-2)).toMatchObject([
      { to: far.path, message: -1, why: 'given-up' },
      { to: far.path, message: -2, why: 'given-up' },
    ]);
  });

  it('counts a message that waits for a mailbox once, also in the turn in which it finds room', async () => {
    const { here, there } = twoEnds();
    const waiting = (): number => there.tally.pushed - there.tally.shifted;
    const first = Promise.withResolvers<void>();
    const seen: string[] = [];
    // It takes its turn right after that of the other, before anything that the promise of an offer might do.
    const next = there.system.spawn<string>(() => (when) => void seen.push(`${when} ${waiting()}`));
    const narrow = there.system.spawn<number>(
      () => (n) => {
        if (n === 0) return first.promise;
        next.tell(`after ${n}:`);
        return undefined;
      },
      { capacity: 1 },
    );
    const far = sent(there, here, narrow);
    for (let n = 0; n < 4; n++) expect(await here.system.offer(far, n)).toBe(true);
    // One in hand, one in the mailbox, and two before it.
    await expect.poll(() => there.channel.counts.received).toBe(4);
    expect(waiting()).toBe(3);
    first.resolve();
    await expect.poll(() => seen).toEqual(['after 1: 2', 'after 2: 1', 'after 3: 0']);
    expect(waiting()).toBe(0);
  });

  it('counts an offer that waits at its own end, which is lost with the thread', async () => {
    const { here, there } = twoEnds();
    const waiting = (): number => here.tally.pushed - here.tally.shifted;
    const { promise, resolve } = Promise.withResolvers<void>();
    const far = sent(
      there,
      here,
      there.system.spawn<number>(() => () => promise, { capacity: 1 }),
    );
    for (let n = 0; n < 3; n++) expect(await here.system.offer(far, n)).toBe(true);
    await expect.poll(() => here.system.offer(far, -1, { timeoutMs: 1 })).toBe(false);
    expect(waiting()).toBe(0);
    const waits = [here.system.offer(far, 3), here.system.offer(far, 4)];
    expect(waiting()).toBe(2);
    resolve();
    expect(await Promise.all(waits)).toEqual([true, true]);
    expect(waiting()).toBe(0);
  });

  it('tells who cannot be watched', async () => {
    const { here, there } = twoEnds();
    const ref = sent(there, here, { path: '/plain', tell: () => true });
    expect(await here.system.ended(ref)).toMatchObject({
      reason: { kind: 'error', error: { code: 'ACTOR_REF_INVALID' } },
    });
  });
});
