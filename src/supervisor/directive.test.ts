import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import { type Behaviour, createSystem } from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope } from '../errors.ts';
import {
  type ChildOptions,
  child,
  childRef,
  type Directive,
  restartChild,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from './mod.ts';

type Message = 'fail' | 'fail later' | 'count';

/** Counts the messages that it has handled since its start. */
const counting =
  (seen: number[]): Behaviour<Message> =>
  () => {
    let handled = 0;
    return async (message) => {
      handled += 1;
      if (message === 'fail later') await Promise.resolve();
      if (message !== 'count') throw new RangeError(message);
      seen.push(handled);
    };
  };

describe('a child whose handler fails', () => {
  const cases: readonly [Directive | 'nonsense', string, number[], string][] = [
    ['resume', 'goes on with its state, without that message', [2], 'running'],
    ['restart', 'is restarted', [1], 'running'],
    ['stop', 'ends for good, whatever its type', [], 'stopped'],
    ['nonsense', 'is restarted if the decider decides nothing', [1], 'running'],
  ];
  describe.each(['fail', 'fail later'] as const)('(%s)', (message) => {
    it.each(cases)('and is to %s %s', async (directive, _what, counted, state) => {
      await using kit = testKit();
      const seen: number[] = [];
      const errors: unknown[] = [];
      const onError: ChildOptions<Message>['onError'] = (error) => {
        errors.push(error);
        // JavaScript users return anything.
        return directive as Directive;
      };
      const root = await kit.system.start(supervisor({ children: [] }));
      const spec = child<Message>({ id: 'a', start: counting(seen), onError });
      const a = await startChild(kit.system, root, spec);
      a?.tell(message);
      await kit.settle();
      a?.tell('count');
      await kit.settle();
      expect(errors).toMatchObject([{ name: 'RangeError', message }]);
      expect([seen, (await whichChildren(kit.system, root)).map((info) => info.state)]).toEqual([counted, [state]]);
    });
  });

  it('is restarted if its decider throws', async () => {
    await using kit = testKit();
    const onError = (): never => {
      throw new Error('no idea');
    };
    const root = await kit.system.start(supervisor({ children: [] }));
    const a = await startChild(kit.system, root, child<Message>({ id: 'a', start: counting([]), onError }));
    a?.tell('fail');
    await kit.settle();
    expect(await whichChildren(kit.system, root)).toMatchObject([{ state: 'running' }]);
  });
});

describe('a decider', () => {
  /** The states of the children under a supervisor with this one, when nothing is left to do. */
  const statesAfter = async (spec: ReturnType<typeof child<string>>, message = 'go'): Promise<string[]> => {
    await using kit = testKit();
    const root = await kit.system.start(supervisor({ children: [] }));
    const ref = await startChild(kit.system, root, spec);
    ref?.tell(message);
    await kit.advance(10);
    return (await whichChildren(kit.system, root)).map(({ id, state }) => `${id} ${state}`);
  };

  it('judges the behaviour that an actor has become, too', async () => {
    let starts = 0;
    const start: Behaviour<string> = (context) => {
      starts += 1;
      return () => {
        context.become(() => {
          throw new Error('later');
        });
        context.self.tell('again');
      };
    };
    expect(await statesAfter(child({ id: 'a', start, onError: () => 'resume' }))).toEqual(['a running']);
    expect(starts).toBe(1);
  });

  it.each([
    ['resume', 'a running', 2],
    ['restart', 'a running', 2],
    ['stop', 'a stopped', 1],
  ] as const)('that says %s about a failure beside all messages finds the child ended', async (directive, state, n) => {
    let starts = 0;
    const start: Behaviour<string> = (context) => {
      starts += 1;
      return () => {
        context.spawn(() => {
          throw new Error('a child below fails');
        });
      };
    };
    const codes: unknown[] = [];
    const onError = (error: unknown): Directive => {
      codes.push(codeOf(error));
      return directive;
    };
    expect(await statesAfter(child({ id: 'a', start, onError }))).toEqual([state]);
    expect(starts).toBe(n);
    expect(codes).toEqual(['ACTOR_CHILD_FAILED']);
  });

  it('is not asked about a handler of an incarnation that is over', async () => {
    await using kit = testKit();
    const hung = Promise.withResolvers<void>();
    const errors: unknown[] = [];
    const onError = (error: unknown): Directive => {
      errors.push(error);
      return 'stop';
    };
    const spec = child<string>({ id: 'a', start: () => () => hung.promise, shutdown: 'brutal', onError });
    const root = await kit.system.start(supervisor({ children: [spec] }));
    (await childRef(kit.system, root, spec))?.tell('hang');
    await kit.settle();
    await terminateChild(kit.system, root, 'a');
    await restartChild(kit.system, root, 'a');
    hung.reject(new Error('too late'));
    await kit.settle();
    expect(errors).toEqual([]);
    expect(await whichChildren(kit.system, root)).toMatchObject([{ state: 'running' }]);
  });

  it('may end a significant child, and its supervisor with it', async () => {
    await using kit = testKit();
    const start: Behaviour<string> = () => () => {
      throw new Error('no use');
    };
    const spec = child({ id: 'a', start, restart: 'transient', significant: true, onError: () => 'stop' });
    const root = await kit.system.start(supervisor({ autoShutdown: 'any_significant', children: [spec] }));
    const ended = kit.system.ended(root);
    (await childRef(kit.system, root, spec))?.tell('go');
    expect((await ended).reason).toEqual({ kind: 'normal' });
  });

  it('leaves the siblings alone when a child is resumed or ends for good', async () => {
    for (const directive of ['resume', 'stop'] as const) {
      await using kit = testKit();
      let starts = 0;
      const start: Behaviour<string> = () => {
        starts += 1;
        return () => {
          throw new Error('no use');
        };
      };
      const spec = child({ id: 'a', start, onError: () => directive });
      const children = [spec, child({ id: 'b', start })];
      const root = await kit.system.start(supervisor({ strategy: 'one_for_all', children }));
      (await childRef(kit.system, root, spec))?.tell('go');
      await kit.settle();
      expect(starts).toBe(2);
    }
  });

  it.each(['onFailure', 'logger'] as const)('has the failures that it resumes told to %s', async (by) => {
    const lines: string[] = [];
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const add = (line: string): void => {
      lines.push(line);
      resolve();
    };
    const logger = { warn: () => undefined, error: add };
    const onFailure = (path: string, { message }: ErrorEnvelope): void => add(`${path}: ${message}`);
    // The hook takes failures in place of the log.
    const system = createSystem(by === 'logger' ? { logger } : { logger, onFailure });
    const spec = child<Message>({ id: 'a', start: counting([]), onError: () => 'resume' });
    const root = await system.start(supervisor({ children: [spec] }));
    const ref = await childRef(system, root, spec);
    ref?.tell('fail');
    await told;
    await system.shutdown();
    expect(lines).toEqual([by === 'logger' ? `actor ${ref?.path} failed: RangeError: fail` : `${ref?.path}: fail`]);
  });
});

describe('functions of a spec that are async', () => {
  // An unhandled rejection fails the run of the tests, as it would end a process.
  it('change nothing when they are rejected', async () => {
    await using kit = testKit();
    const seen: number[] = [];
    // JavaScript users pass anything.
    const reject = (() => Promise.reject(new Error('async'))) as unknown as () => Directive;
    const spec = child<Message>({ id: 'a', start: counting(seen), onError: reject, onRef: reject });
    const root = await kit.system.start(supervisor({ children: [spec] }));
    const ref = await childRef(kit.system, root, spec);
    for (const message of ['fail', 'count'] as const) {
      ref?.tell(message);
      await kit.settle();
    }
    expect(seen).toEqual([1]);
  });
});
