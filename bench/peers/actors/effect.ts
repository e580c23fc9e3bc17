import { Deferred, Effect, Fiber, Queue } from 'effect';
import type { ActorLibrary } from './library.ts';

/** Effect has no actors; its users build one from a queue and a fiber that reads it. */
export function open(): ActorLibrary {
  const fibers: Fiber.Fiber<unknown, unknown>[] = [];
  const actor = <M>(receive: (message: M) => void): ((message: M) => void) => {
    const queue = Effect.runSync(Queue.unbounded<M>());
    const handleAll = Effect.map(Queue.takeAll(queue), (messages) => {
      for (const message of messages) receive(message);
    });
    fibers.push(Effect.runFork(Effect.forever(handleAll)));
    return (message) => void Queue.offerUnsafe(queue, message);
  };
  return {
    spawn: (receive) => ({ tell: actor(receive) }),
    echo: () => {
      const tell = actor<{ readonly n: number; readonly reply: Deferred.Deferred<number> }>(({ n, reply }) => {
        Deferred.doneUnsafe(reply, Effect.succeed(n));
      });
      return (n) => {
        const reply = Deferred.makeUnsafe<number>();
        tell({ n, reply });
        return Effect.runPromise(Deferred.await(reply));
      };
    },
    close: async () => {
      await Effect.runPromise(Fiber.interruptAll(fibers));
    },
  };
}
