import { describe, expect, it, onTestFinished } from 'vitest';
import type { Addressee } from './addressee.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import type { EndListener } from './ends.ts';
import { ManualClock } from './kit/manual-clock.ts';
import { testKit } from './kit/mod.ts';
import { Mailbox } from './mailbox.ts';
import type { Exit, Ref } from './ref.ts';
import { ReplyRef } from './reply-ref.ts';
import { createSystem } from './system.ts';

/** An actor that lives elsewhere, as far as this system can see. */
class Elsewhere implements Ref<string>, Addressee {
  readonly path = '/elsewhere';
  readonly state = 'running';
  readonly depth = 0;
  readonly told: string[] = [];
  readonly #listeners = new Set<(exit: Exit) => void>();

  tell(message: string): boolean {
    return this.told.push(message) > 0;
  }

  watch(_key: object, listener: EndListener): void {
    this.#listeners.add((exit) => listener.ended(exit));
  }

  unwatch(): void {
    this.#listeners.clear();
  }

  onEnd(listener: (exit: Exit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async shutdown(): Promise<void> {
    for (const tell of this.#listeners) tell({ path: this.path, reason: { kind: 'shutdown' } });
  }
}

describe('a ref of another kind', () => {
  it('is watched and stopped as those of this system are', async () => {
    await using kit = testKit();
    const elsewhere = new Elsewhere();
    const probe = kit.probe<Exit>();
    kit.system.spawn((context) => {
      context.watch(elsewhere, (exit) => {
        probe.ref.tell(exit);
        return undefined;
      });
      return () => undefined;
    });
    await kit.system.stop(elsewhere);
    await probe.expect({ path: '/elsewhere', reason: { kind: 'shutdown' } });
  });

  it('that ends takes the asks along that wait for it', async () => {
    const system = createSystem();
    onTestFinished(() => system.shutdown());
    const elsewhere = new Elsewhere();
    const asked = system.ask<string, string>(elsewhere, () => 'hello', 60_000);
    await elsewhere.shutdown();
    await expect(asked).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
    expect(elsewhere.told).toEqual(['hello']);
  });

  it('cannot be watched if it is no actor', () => {
    const system = createSystem();
    onTestFinished(() => system.shutdown());
    expect(() => system.stop({ path: '/x', tell: () => true })).toThrow('/x is not an actor of this system');
  });
});

describe('the ref of a reply', () => {
  it('takes one reply, and tells when it has it', () => {
    const replies: unknown[] = [];
    const deadLetters = new DeadLetters();
    const clock = new ManualClock();
    const take = (outcome: unknown): void => void replies.push(outcome);
    const ref = new ReplyRef<number>(
      { current: undefined, deadLetters, deadlines: new Deadlines(clock) },
      new Elsewhere(),
      1_000,
      { replied: take, failed: take },
    );
    ref.onSettled(() => replies.push('settled'));
    ref.onSettled(() => replies.push('settled too'));
    expect([ref.tell(1), ref.tell(2), ref.fail(new Error('late'))]).toEqual([true, false, false]);
    ref.onSettled(() => replies.push('settled before'));
    expect(replies).toEqual(['settled', 'settled too', 1, 'settled before']);
    expect(clock.pending).toBe(0);
    expect(deadLetters.latest()).toEqual([{ from: '-', to: '/elsewhere?', message: 2, why: 'second-reply' }]);
  });
});

describe('a mailbox of its own', () => {
  it('may refuse a message, and the sender fails', async () => {
    class Choosy<M> extends Mailbox<M> {
      override push(message: M): void {
        if (message === 'bad') throw new TypeError('bad is refused');
        super.push(message);
      }
    }
    await using kit = testKit();
    const got: string[] = [];
    const choosy = kit.system.spawn<string>(() => (message) => void got.push(message), {
      mailbox: () => new Choosy(),
    });
    const sender = kit.system.spawn<string>(() => (message) => void choosy.tell(message));
    for (const message of ['good', 'bad']) sender.tell(message);
    await kit.settle();
    expect(got).toEqual(['good']);
    expect(kit.failures).toMatchObject([{ path: sender.path, error: { message: 'bad is refused' } }]);
  });
});
