import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../errors.ts';
import { type Exit, type Ref, transfer } from '../mod.ts';
import { copyMessage, isFailure, probe, testKit } from './mod.ts';

type Note = { kind: 'a'; n: number } | { kind: 'b'; text: string };

describe('probe', () => {
  it('hands out messages in the order in which they came', async () => {
    await using kit = testKit();
    const p = kit.probe<number>();
    p.ref.tell(1);
    p.ref.tell(2);
    expect([await p.expect(), await p.expect()]).toEqual([1, 2]);
  });

  it('takes a predicate or some properties', async () => {
    await using kit = testKit();
    const p = kit.probe<Note>();
    p.ref.tell({ kind: 'a', n: 1 });
    p.ref.tell({ kind: 'b', text: 'x' });
    await p.expect({ kind: 'a' });
    await p.expect((note) => note.kind === 'b');
  });

  it('fails at once and says what came instead', async () => {
    await using kit = testKit();
    const p = kit.probe<Note>({ name: 'ears' });
    p.ref.tell({ kind: 'a', n: 1 });
    await expect(p.expect({ kind: 'b' })).rejects.toThrow(
      "/ears: expected a message with { kind: 'b' }, got { kind: 'a', n: 1 }",
    );
    await expect(p.expect({ kind: 'b' })).rejects.toThrow(/but no message came/);
  });

  it('passes over messages when it fishes', async () => {
    await using kit = testKit();
    const p = kit.probe<Note>();
    p.ref.tell({ kind: 'a', n: 1 });
    p.ref.tell({ kind: 'b', text: 'x' });
    await p.fishFor({ kind: 'b' });
    await expect(p.fishFor({ kind: 'b' })).rejects.toThrow(/no message is a message with { kind: 'b' }/);
  });

  it('moves the clock to see that nothing comes', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    kit.clock.timer(101, () => {
      p.ref.tell('late');
    });
    await p.expectNone(100);
    await expect(p.expectNone(1)).rejects.toThrow("expected no message within 1 ms, got 'late'");
  });

  it('waits for real I/O when it stands outside of a kit', async () => {
    await using kit = testKit();
    const p = probe<string>(kit.system);
    setImmediate(() => setImmediate(() => p.ref.tell('in the end')));
    await p.expect('in the end');
  });

  it('is watched with like any actor, and tells failures apart by their code', async () => {
    await using kit = testKit();
    const p = kit.probe<Exit>();
    const ref = kit.system.spawn<string>(() => () => {
      throw new ShoalError('INTERNAL', 'no');
    });
    void kit.system.ended(ref).then((exit) => p.ref.tell(exit));
    ref.tell('fail');
    await p.expect(isFailure('INTERNAL'));
    expect(kit.failures).toMatchObject([{ path: ref.path, error: { code: 'INTERNAL' } }]);
  });
});

describe('settle', () => {
  it('says so when actors send to each other for ever', async () => {
    await using kit = testKit({ throughput: 1 });
    const spin = kit.system.spawn<number>((context) => (n) => void context.self.tell(n + 1), { name: 'spin' });
    spin.tell(0);
    await expect(kit.settle()).rejects.toThrow('they send to each other for ever');
    await kit.system.stop(spin);
  });
});

describe('copied messages', () => {
  it('share nothing with what was sent but refs', async () => {
    await using kit = testKit({ copyMessages: true });
    const p = kit.probe<{ list: number[]; replyTo: Ref<string> }>();
    const other = kit.probe<string>();
    const sent = { list: [1], replyTo: other.ref };
    p.ref.tell(sent);
    sent.list.push(2);
    const got = await p.expect();
    expect(got.list).toEqual([1]);
    expect(got.replyTo).toBe(other.ref);
  });

  it('keep maps, sets, bytes and dates, and the refs in them', async () => {
    await using kit = testKit();
    const { ref } = kit.probe<string>();
    const sent = {
      map: new Map([['who', { ref }]]),
      set: new Set([1]),
      bytes: new Uint8Array([1, 2]),
      at: new Date(0),
    };
    const copied = copyMessage(sent);
    expect(copied).toEqual(sent);
    expect(copied.map.get('who')?.ref).toBe(ref);
    for (const field of ['map', 'set', 'bytes', 'at'] as const) expect(copied[field]).not.toBe(sent[field]);
  });

  it('refuse what cannot travel, and say where it stands', () => {
    const shared = new SharedArrayBuffer(8);
    expect(() => copyMessage({ shared })).toThrow(
      'shared memory that was not marked with `transfer` at `message.shared`',
    );
    // The copy may be sent on.
    const marked = copyMessage(copyMessage(transfer({ shared, view: new Uint8Array(shared) }, [shared])));
    expect([marked.shared, marked.view.buffer.byteLength]).toEqual([shared, 8]);
    expect(() => copyMessage(new Map([['a', () => 1]]))).toThrow('got function at `message.get(a)`');
    expect(() => copyMessage({ a: [{ f: () => 1 }] })).toThrow('got function at `message.a[0].f`');
    expect(() => copyMessage({ a: new (class Own {})() })).toThrow('an object of class Own at `message.a`');
  });

  it('keep the code, details and cause of an error', () => {
    const copied = copyMessage(new ShoalError('VM_GONE', 'gone', { details: { id: 7 }, cause: new Error('why') }));
    expect(copied).toMatchObject({ code: 'VM_GONE', details: { id: 7 }, cause: { message: 'why' } });
  });
});
