import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from './kit/mod.ts';
import type { Exit, Ref } from './mod.ts';

type Message = { readonly kind: 'watch' | 'unwatch' | 'watch again'; readonly other: Ref<never> } | Exit;

/** Watches what it is told to, and passes on each end that it is told of. It can watch again at each. */
function watcher(kit: TestKit, to: Ref<Exit>): Ref<Message> {
  return kit.system.spawn<Message>((context) => {
    let again: (() => void) | undefined;
    return (message) => {
      if (!('kind' in message)) {
        to.tell(message);
        again?.();
        return;
      }
      const watch = (): void => context.watch(message.other, (exit) => exit);
      if (message.kind === 'unwatch') return context.unwatch(message.other);
      if (message.kind === 'watch again') again = watch;
      watch();
    };
  });
}

interface Family {
  readonly parent: Ref<'restart' | 'watch' | 'gone'>;
  readonly child: Ref<string>;
}

/** A parent whose child fails at the first message. The parent watches it, or not. */
function family(kit: TestKit, watches: boolean): Family {
  let child: Ref<string> | undefined;
  const parent = kit.system.spawn<'restart' | 'watch' | 'gone'>((context) => {
    const own: Ref<string> = context.spawn<string>(() => () => {
      throw new Error('boom');
    });
    child = own;
    const watch = (): void => context.watch(own, () => 'gone');
    if (watches) watch();
    return async (message) => {
      if (message !== 'restart') return;
      await context.restart(own);
      watch();
    };
  });
  if (child === undefined) throw new Error('it was spawned');
  return { parent, child };
}

const stateOf = (kit: TestKit, ref: Ref<never>): string | undefined =>
  kit.system.tree().children.find(({ path }) => path === ref.path)?.state;

describe('the failure of a child', () => {
  it('ends a parent that does not watch it, whoever else looks on', async () => {
    await using kit = testKit();
    const { parent, child } = family(kit, false);
    const probe = kit.probe<Exit>();
    watcher(kit, probe.ref).tell({ kind: 'watch', other: child });
    const told = kit.system.ended(child);
    await kit.settle();
    child.tell('fail');
    await kit.settle();
    expect(stateOf(kit, parent)).toBeUndefined();
    expect((await told).reason.kind).toBe('error');
    await probe.expect({ path: child.path });
  });

  it('does not end a parent that watches it, whoever else looks on or has ceased to', async () => {
    await using kit = testKit();
    const { parent, child } = family(kit, true);
    const onlooker = watcher(kit, kit.probe<Exit>().ref);
    onlooker.tell({ kind: 'watch', other: child });
    onlooker.tell({ kind: 'unwatch', other: child });
    await kit.settle();
    child.tell('fail');
    await kit.settle();
    expect(stateOf(kit, parent)).toBe('running');
  });

  it('ends the parent although somebody asks after the end before the parent is told', async () => {
    await using kit = testKit();
    const { parent, child } = family(kit, false);
    const probe = kit.probe<Exit>();
    const onlooker = watcher(kit, probe.ref);
    child.tell('fail');
    onlooker.tell({ kind: 'watch', other: child });
    await kit.settle();
    expect(stateOf(kit, parent)).toBeUndefined();
    await probe.expect({ path: child.path });
  });
});

describe('a watcher', () => {
  it('is told of each end once, however often it watches', async () => {
    await using kit = testKit();
    const { parent, child } = family(kit, true);
    const probe = kit.probe<Exit>();
    watcher(kit, probe.ref).tell({ kind: 'watch again', other: child });
    await kit.settle();
    for (const ends of [1, 2]) {
      child.tell('fail');
      await kit.settle();
      expect(probe.received).toHaveLength(ends);
      parent.tell('restart');
      await kit.settle();
      expect(probe.received).toHaveLength(ends);
    }
  });

  it('is told at once of an end that it was not told of', async () => {
    await using kit = testKit();
    const { child } = family(kit, true);
    child.tell('fail');
    await kit.settle();
    const probe = kit.probe<Exit>();
    for (const one of [watcher(kit, probe.ref), watcher(kit, probe.ref)]) one.tell({ kind: 'watch', other: child });
    await kit.settle();
    expect(probe.received).toHaveLength(2);
  });

  it('is told again of an end if it has ceased to watch since', async () => {
    await using kit = testKit();
    const { child } = family(kit, true);
    const probe = kit.probe<Exit>();
    const one = watcher(kit, probe.ref);
    child.tell('fail');
    await kit.settle();
    for (const kind of ['watch', 'unwatch', 'watch'] as const) {
      one.tell({ kind, other: child });
      await kit.settle();
    }
    expect(probe.received).toHaveLength(2);
  });

  it('is told nothing after `unwatch`, not even what waits already', async () => {
    await using kit = testKit();
    const target = kit.system.spawn<never>(() => () => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.watch(target, () => 'ended');
      return async (message) => {
        seen.push(message);
        if (message !== 'unwatch') return;
        await promise;
        context.unwatch(target);
      };
    });
    ref.tell('unwatch');
    await kit.settle();
    await kit.system.stop(target);
    ref.tell('last');
    resolve();
    await kit.settle();
    expect(seen).toEqual(['unwatch', 'last']);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('is told of an end if it watches again after `unwatch`, while the withdrawn notice still waits', async () => {
    await using kit = testKit();
    const target = kit.system.spawn<never>(() => () => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.watch(target, () => 'first watch');
      return async (message) => {
        if (message !== 'again') return void seen.push(message);
        await promise;
        context.unwatch(target);
        context.watch(target, () => 'second watch');
      };
    });
    ref.tell('again');
    await kit.settle();
    await kit.system.stop(target);
    resolve();
    await kit.settle();
    expect(seen).toEqual(['second watch']);
  });

  it('is told at once of an end that nobody watched, although it was told of the one before', async () => {
    await using kit = testKit();
    let child: Ref<never> | undefined;
    const parent = kit.system.spawn<'stop' | 'restart'>((context) => {
      const own = context.spawn<never>(() => () => undefined);
      child = own;
      return (message) => (message === 'stop' ? context.stop(own) : context.restart(own));
    });
    // It was just spawned.
    const other = child as unknown as Ref<never>;
    const probe = kit.probe<Exit>();
    const one = watcher(kit, probe.ref);
    one.tell({ kind: 'watch', other });
    await kit.settle();
    for (const message of ['stop', 'restart', 'stop'] as const) {
      parent.tell(message);
      await kit.settle();
    }
    expect(probe.received).toHaveLength(1);
    one.tell({ kind: 'watch', other });
    await kit.settle();
    expect(probe.received).toHaveLength(2);
  });

  it('is told nothing after `unwatch`, whichever of the ends that it watched for wait already', async () => {
    await using kit = testKit();
    const { parent, child } = family(kit, true);
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.watch(child, () => 'ended');
      return async (message) => {
        seen.push(message);
        if (message !== 'work') return;
        await gates[0]?.promise;
        context.watch(child, () => 'ended again');
        await gates[1]?.promise;
        context.unwatch(child);
      };
    });
    ref.tell('work');
    for (const gate of gates) {
      await kit.settle();
      child.tell('fail');
      await kit.settle();
      parent.tell('restart');
      await kit.settle();
      gate.resolve();
    }
    await kit.settle();
    expect(seen).toEqual(['work']);
  });

  it('that has ended itself watches nobody any more', async () => {
    await using kit = testKit();
    const target = kit.system.spawn<never>(() => () => undefined);
    let late = (): void => undefined;
    const ref = kit.system.spawn<string>((context) => {
      late = () => context.watch(target, () => 'ended');
      late();
      return () => undefined;
    });
    await kit.system.stop(ref);
    const other = kit.system.spawn<string>((context) => {
      context.watch(target, () => 'ended');
      return () => undefined;
    });
    await kit.system.stop(other);
    late();
    await kit.system.stop(target);
    late();
    await kit.settle();
    expect(kit.system.deadLetters.count).toBe(0);
  });
});
