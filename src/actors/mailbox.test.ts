import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import { Mailbox } from './mailbox.ts';
import { createSystem, type Overflow } from './mod.ts';

describe('Mailbox', () => {
  it('is a queue that knows who sent what, whatever is pushed, put back, shifted and dropped when', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), n: fc.nat(), from: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unshift' as const), n: fc.nat(), from: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('shift' as const, 'drop' as const) }) },
    );
    const senders = [undefined, { path: '/a' }, { path: '/b' }, { path: '/c' }];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const mailbox = new Mailbox<number>();
        const model: { message: number; sender: { path: string } | undefined }[] = [];
        let inHand: { path: string } | undefined;
        for (const next of steps) {
          if (next.kind === 'push' || next.kind === 'unshift') {
            const sender = senders[next.from];
            mailbox[next.kind](next.n, sender);
            model[next.kind]({ message: next.n, sender });
          } else if (next.kind === 'drop' && model.length > 0) {
            expect(mailbox.drop()).toEqual(model.shift());
          } else if (next.kind === 'shift') {
            const first = model.shift();
            expect(mailbox.shift()).toBe(first?.message);
            if (first !== undefined) inHand = first.sender;
          }
          expect([mailbox.length, mailbox.lastSender]).toEqual([model.length, inHand]);
        }
      }),
    );
  });

  it('takes undefined as a message like any other, alone and among others', () => {
    const mailbox = new Mailbox<undefined>();
    for (const count of [1, 3]) {
      for (let n = 0; n < count; n++) mailbox.push(undefined, { path: `/${n}` });
      for (let n = 0; n < count; n++) {
        expect(mailbox.length).toBe(count - n);
        expect(mailbox.shift()).toBeUndefined();
        expect(mailbox.lastSender).toEqual({ path: `/${n}` });
      }
      expect(mailbox.length).toBe(0);
    }
  });

  it('goes on after bursts that made it give its memory back', () => {
    const mailbox = new Mailbox<number>();
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 3000; n++) mailbox.push(n);
      for (let n = 0; n < 3000; n++) expect(mailbox.shift()).toBe(n);
      expect(mailbox.shift()).toBeUndefined();
    }
  });
});

describe('a full mailbox', () => {
  const tellThree = async (overflow: Overflow) => {
    const kit = testKit();
    const seen: number[] = [];
    const ref = kit.system.spawn<number>(() => (n) => void seen.push(n), { capacity: 2, overflow });
    const taken = [1, 2, 3].map((n) => ref.tell(n));
    await kit.settle();
    const lost = kit.system.deadLetters.latest().map(({ message, why }) => [message, why]);
    await kit.shutdown();
    return { taken, seen, lost };
  };

  it('refuses the message with `fail`', async () => {
    expect(await tellThree('fail')).toEqual({ taken: [true, true, false], seen: [1, 2], lost: [[3, 'mailbox-full']] });
  });

  it('drops the message with `drop-newest`', async () => {
    expect(await tellThree('drop-newest')).toEqual({
      taken: [true, true, false],
      seen: [1, 2],
      lost: [[3, 'dropped']],
    });
  });

  it('drops the message that has waited longest with `drop-oldest`', async () => {
    expect(await tellThree('drop-oldest')).toEqual({ taken: [true, true, true], seen: [2, 3], lost: [[1, 'dropped']] });
  });
});

describe('dead letters', () => {
  it('name the sender and the receiver', async () => {
    await using kit = testKit();
    const gone = kit.system.spawn<string>(() => () => undefined, { name: 'gone' });
    await kit.system.stop(gone);
    const sender = kit.system.spawn<string>(() => (message) => void gone.tell(message), { name: 'sender' });
    sender.tell('hello');
    await kit.settle();
    gone.tell('from outside');
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '/sender', to: '/gone', message: 'hello', why: 'stopped' },
      { from: '-', to: '/gone', message: 'from outside', why: 'stopped' },
    ]);
  });

  it('are all counted, and only the latest are kept', async () => {
    await using kit = testKit();
    const gone = kit.system.spawn<number>(() => () => undefined);
    await kit.system.stop(gone);
    for (let n = 0; n < 1000; n++) gone.tell(n);
    expect(kit.system.deadLetters.count).toBe(1000);
    expect(kit.system.deadLetters.latest().map(({ message }) => message)).toEqual(
      Array.from({ length: 100 }, (_, n) => 900 + n),
    );
  });

  it('do no harm when their listener throws', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const system = createSystem({
      onDeadLetter: () => {
        throw new Error('listener');
      },
    });
    const ref = system.spawn<number>(() => () => undefined);
    ref.tell(1);
    await system.stop(ref);
    expect(ref.tell(2)).toBe(false);
    expect((await warned).message).toBe('listener');
    await system.shutdown();
  });
});
