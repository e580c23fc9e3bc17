import { describe, expect, it } from 'vitest';
import { isFailure, testKit } from './kit/mod.ts';
import type { Behaviour, Context, Exit, Ref } from './mod.ts';

const fails = (thrown: unknown) => () => (): void => {
  throw thrown;
};

describe('a failure', () => {
  it('ends the actor and is reported once, whether it was thrown or rejected', async () => {
    await using kit = testKit();
    const thrower = kit.system.spawn<string>(fails(new Error('thrown')), { name: 'thrower' });
    const rejecter = kit.system.spawn<string>(() => () => Promise.reject(new Error('rejected')), { name: 'rejecter' });
    thrower.tell('go');
    rejecter.tell('go');
    await kit.settle();
    expect(kit.failures.map(({ path, error }) => [path, error.message])).toEqual([
      ['/thrower', 'thrown'],
      ['/rejecter', 'rejected'],
    ]);
    expect(kit.system.tree().children).toEqual([]);
  });

  it('that comes first is the reason, whatever fails on the way to the end', async () => {
    await using kit = testKit();
    const [gate, piped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ref = kit.system.spawn<string>((context) => {
      context.pipe(
        piped.promise,
        () => {
          throw new Error('first');
        },
        String,
      );
      return async () => {
        await gate.promise;
        throw new Error('second');
      };
    });
    ref.tell('work');
    const ended = kit.system.ended(ref);
    await kit.settle();
    piped.resolve();
    await kit.settle();
    gate.resolve();
    expect(await ended).toMatchObject({ reason: { error: { message: 'first' } } });
  });

  it('of a handler that was abandoned is judged by nobody', async () => {
    await using kit = testKit();
    const gate = Promise.withResolvers<void>();
    const judged: unknown[] = [];
    const behaviour: Behaviour<string> = Object.assign(
      () => async () => {
        await gate.promise;
        throw new Error('too late');
      },
      { resumes: (error: unknown) => judged.push(error) > 0 },
    );
    const ref = kit.system.spawn(behaviour);
    ref.tell('work');
    await kit.settle();
    await kit.system.stop(ref, 0);
    gate.resolve();
    await kit.settle();
    expect(judged).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('undecided');
      },
    ],
    ['is rejected', () => Promise.reject(new Error('undecided'))],
    ['says something else', () => 'yes'],
    ['is no function', true],
  ])('that its behaviour cannot judge, because that %s, ends the actor and nothing else', async (_how, resumes) => {
    await using kit = testKit();
    // As programs in JavaScript may.
    const behaviour = Object.assign(fails(new Error('first')), { resumes }) as unknown as Behaviour<string>;
    const ref = kit.system.spawn(behaviour);
    const ended = kit.system.ended(ref);
    ref.tell('go');
    expect(await ended).toMatchObject({ reason: { error: { message: 'first' } } });
    const p = kit.probe<string>();
    p.ref.tell('still running');
    await p.expect('still running');
  });

  it('of anything that can be thrown leaves the system running', async () => {
    await using kit = testKit();
    const strange = [undefined, null, Symbol('s'), Object.create(null), 'text'];
    for (const thrown of strange) kit.system.spawn<string>(fails(thrown)).tell('go');
    const p = kit.probe<string>();
    p.ref.tell('still running');
    await p.expect('still running');
    expect(kit.failures).toHaveLength(strange.length);
  });

  it('that nobody watches takes the parent along', async () => {
    await using kit = testKit();
    const parent = kit.system.spawn<string>((context) => {
      const child = context.spawn<string>(fails(new Error('boom')), { name: 'child' });
      return (message) => void child.tell(message);
    });
    const ended = kit.system.ended(parent);
    parent.tell('go');
    expect((await ended).reason).toMatchObject({
      error: {
        code: 'ACTOR_CHILD_FAILED',
        message: `child ${parent.path}/child failed: boom`,
        cause: { message: 'boom' },
      },
    });
  });

  it('of a child that was started and not watched takes the parent along too', async () => {
    await using kit = testKit();
    const parent = kit.system.spawn<string>(async (context) => {
      const child = await context.start<string>(fails(new Error('boom')));
      return (message) => void child.tell(message);
    });
    const ended = kit.system.ended(parent);
    parent.tell('go');
    expect(isFailure('ACTOR_CHILD_FAILED')(await ended)).toBe(true);
  });

  it('at the top is reported, and the others go on', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    kit.system.spawn<string>(fails(new Error('spawned'))).tell('go');
    (await kit.system.start<string>(fails(new Error('started')))).tell('go');
    await kit.settle();
    p.ref.tell('still here');
    await p.expect('still here');
    expect(kit.failures.map(({ error }) => error.message)).toEqual(['spawned', 'started']);
  });

  it('of a start is thrown to whoever awaits it, after clean-up, and to nobody else', async () => {
    await using kit = testKit();
    const p = kit.probe<unknown>();
    const boom = new Error('boom');
    const order: string[] = [];
    const parent = kit.system.spawn<string>((context) => async () => {
      try {
        await context.start((inner) => {
          inner.onStop(async () => void order.push('cleaned up'));
          throw boom;
        });
      } catch (error) {
        order.push('told');
        p.ref.tell(error);
      }
    });
    parent.tell('go');
    expect(await p.expect()).toBe(boom);
    expect(order).toEqual(['cleaned up', 'told']);
    expect(kit.system.tree().children.map(({ path }) => path)).toContain(parent.path);
  });

  it('in clean-up is a failure of the actor; the rest of the clean-up runs', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const ref = kit.system.spawn((context) => {
      context.onStop(() => void order.push('rest'));
      context.onStop(() => Promise.reject(new Error('clean-up')));
      return () => undefined;
    });
    const ended = kit.system.ended(ref);
    await kit.system.stop(ref);
    expect((await ended).reason).toMatchObject({ kind: 'error', error: { message: 'clean-up' } });
    expect(order).toEqual(['rest']);
  });
});

describe('watch', () => {
  const watching = (other: Ref<never>, to: Ref<Exit>) => (context: Context<Exit>) => {
    context.watch(other, (exit) => exit);
    return (exit: Exit) => void to.tell(exit);
  };

  it('tells once why the other has ended', async () => {
    await using kit = testKit();
    const p = kit.probe<Exit>();
    const other = kit.system.spawn<string>(fails(new Error('boom')));
    kit.system.spawn(watching(other, p.ref));
    other.tell('go');
    expect(await p.expect()).toMatchObject({ path: other.path, reason: { kind: 'error', error: { message: 'boom' } } });
    await p.expectNone();
  });

  it('tells at once if the other has ended before', async () => {
    await using kit = testKit();
    const p = kit.probe<Exit>();
    const other = kit.system.spawn<string>((context) => () => context.exit());
    other.tell('go');
    await kit.settle();
    kit.system.spawn(watching(other, p.ref));
    await p.expect({ path: other.path, reason: { kind: 'normal' } });
  });

  it('spares the parent if it comes right after the start, even of a child that fails with its first message', async () => {
    await using kit = testKit();
    const p = kit.probe<Exit>();
    const parent = kit.system.spawn<Exit>(async (context) => {
      const child = await context.start<string>((inner) => {
        inner.self.tell('go');
        return fails(new Error('boom'))();
      });
      context.watch(child, (exit) => exit);
      return (exit) => void p.ref.tell(exit);
    });
    await p.expect();
    expect(kit.system.tree().children.map(({ path }) => path)).toContain(parent.path);
  });

  it('is taken back by unwatch', async () => {
    await using kit = testKit();
    const p = kit.probe<Exit>();
    const other = kit.system.spawn(() => () => undefined);
    kit.system.spawn<Exit>((context) => {
      context.watch(other, (exit) => exit);
      context.unwatch(other);
      return (exit) => void p.ref.tell(exit);
    });
    await kit.system.stop(other);
    await p.expectNone();
  });

  it('ends with the watcher: a failure is unseen again, and the parent hears of it', async () => {
    await using kit = testKit();
    let child: Ref<string> | undefined;
    const parent = kit.system.spawn((context) => {
      child = context.spawn<string>(fails(new Error('boom')));
      return () => undefined;
    });
    const p = kit.probe<Exit>();
    // The behaviour above has run and has set this.
    const watcher = kit.system.spawn(watching(child as Ref<string>, p.ref));
    await kit.system.stop(watcher);
    const ended = kit.system.ended(parent);
    child?.tell('go');
    expect(isFailure('ACTOR_CHILD_FAILED')(await ended)).toBe(true);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('is for one end: the next incarnation is watched anew', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    const parent = kit.system.spawn<Exit | 'go'>((context) => {
      const child = context.spawn<string>((inner) => () => inner.exit(), { name: 'child' });
      const watch = (): void => context.watch(child, (exit) => exit);
      watch();
      let ends = 0;
      return async (message) => {
        if (message === 'go') return void child.tell('exit');
        p.ref.tell(`end ${++ends}`);
        await context.restart(child);
        if (ends === 1) watch();
        child.tell('exit');
      };
    });
    parent.tell('go');
    await p.expect('end 1');
    await p.expect('end 2');
    await p.expectNone();
  });

  it('takes a failure off the parent also when the restart that follows at once fails, which the parent awaits', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    let starts = 0;
    let crash = (): boolean => false;
    const fragile: Behaviour<'crash'> = () => {
      starts += 1;
      if (starts > 1) throw new Error('not again');
      return () => {
        throw new Error('boom');
      };
    };
    const parent: Behaviour<Exit> = async (context) => {
      const child = await context.start(fragile, { name: 'fragile' });
      context.watch(child, (exit) => exit);
      crash = () => child.tell('crash');
      return () => context.restart(child).catch((error: Error) => void p.ref.tell(error.message));
    };
    const ref = kit.system.spawn(parent);
    await kit.settle();
    crash();
    await p.expect((message) => message === 'not again');
    await kit.settle();
    expect(kit.system.tree().children.map(({ path }) => path)).toContain(ref.path);
  });

  it('fails the watcher, not the watched, when the message cannot be made', async () => {
    await using kit = testKit();
    const other = kit.system.spawn<string>((context) => () => context.exit());
    const watcher = kit.system.spawn<string>((context) => {
      context.watch(other, () => {
        throw new Error('no message');
      });
      return () => undefined;
    });
    const ended = kit.system.ended(other);
    other.tell('go');
    expect((await ended).reason).toEqual({ kind: 'normal' });
    expect(kit.failures).toMatchObject([{ path: watcher.path, error: { message: 'no message' } }]);
  });
});

describe('pipe', () => {
  it('sends the outcome of a promise, also to a full mailbox', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    kit.system.spawn<string>(
      (context) => {
        context.pipe(Promise.resolve(1), String, String);
        context.pipe(Promise.reject(new Error('no')), String, String);
        return (message) => void p.ref.tell(message);
      },
      { capacity: 1 },
    );
    await kit.settle();
    expect(p.received).toEqual(['1', 'Error: no']);
  });

  it('makes a dead letter of an outcome that comes after the end', async () => {
    await using kit = testKit();
    const { promise, resolve } = Promise.withResolvers<string>();
    const ref = kit.system.spawn<string>((context) => {
      context.pipe(promise, (value) => value, String);
      return () => undefined;
    });
    await kit.system.stop(ref);
    resolve('late');
    await kit.settle();
    expect(kit.system.deadLetters.latest()).toMatchObject([{ to: ref.path, message: 'late', why: 'stopped' }]);
  });

  it('fails the actor when the outcome cannot be made a message', async () => {
    await using kit = testKit();
    kit.system.spawn<string>((context) => {
      const fail = (): string => {
        throw new Error('no message');
      };
      context.pipe(Promise.resolve(1), fail, fail);
      return () => undefined;
    });
    await kit.settle();
    expect(kit.failures).toMatchObject([{ error: { message: 'no message' } }]);
  });
});

describe('names', () => {
  it('are unique among the living, and free again after the end', async () => {
    await using kit = testKit();
    const idle = () => () => undefined;
    const first = kit.system.spawn(idle, { name: 'one' });
    expect(() => kit.system.spawn(idle, { name: 'one' })).toThrow(
      '/ already has a child named "one"; stop it or choose another',
    );
    await kit.system.stop(first);
    expect(kit.system.spawn(idle, { name: 'one' }).path).toBe('/one');
  });
});

describe('an option that makes no sense', () => {
  it('is refused with its value', async () => {
    await using kit = testKit();
    const idle = () => () => undefined;
    expect(() => kit.system.spawn(idle, { name: 'a/b' })).toThrow('without "/", got `a/b` (string)');
    expect(() => kit.system.spawn(idle, { capacity: Number.NaN })).toThrow(
      'Expected `capacity` to be a whole number from 1 up',
    );
    expect(() => testKit({ throughput: 0 })).toThrow('Expected `throughput` to be a whole number from 1 up, got `0`');
    expect(kit.system.tree().children).toEqual([]);
  });
});
