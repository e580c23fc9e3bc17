import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour } from '../actors/mod.ts';
import { type ChildOptions, child, type Directive, startChild, supervisor, whichChildren } from './mod.ts';

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
