import { ShoalError } from '../errors.ts';
import type { Behaviour, Receive } from './behaviour.ts';
import { checkedDuration } from './options.ts';
import { promiseOf } from './promise-of.ts';

/**
 * The same behaviour with a limit for its set-up. When the time is up the actor ends with ACTOR_START_TIMEOUT. The
 * set-up cannot be interrupted, but its context has no effect any more, its `signal` is aborted, and clean-ups that it
 * still registers run at once.
 */
export function startWithin<M>(behaviour: Behaviour<M>, timeoutMs: number | undefined): Behaviour<M> {
  if (timeoutMs === undefined) return behaviour;
  checkedDuration('startTimeoutMs', timeoutMs);
  const limited: Behaviour<M> = (context) => {
    const started = behaviour(context);
    const pending = promiseOf(started);
    if (pending === undefined) return started;
    return new Promise<Receive<M>>((resolve, reject) => {
      const cancel = context.clock.timer(timeoutMs, () => {
        const text = `${context.self.path} did not start within ${timeoutMs} ms`;
        reject(new ShoalError('ACTOR_START_TIMEOUT', text, { details: { timeoutMs } }));
      });
      const settle = (outcome: () => void): void => {
        cancel();
        outcome();
      };
      pending.then(
        (receive) => settle(() => resolve(receive)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  };
  // Its own limit for the stop stays.
  return Object.assign(limited, behaviour);
}
