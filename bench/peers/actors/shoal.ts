import { createSystem, type Ref } from '../../../src/actors/mod.ts';
import { type ActorLibrary, ASK_TIMEOUT_MS } from './library.ts';

interface Question {
  readonly n: number;
  readonly replyTo: Ref<number>;
}

export function open(): ActorLibrary {
  const system = createSystem();
  return {
    spawn: (receive) => system.spawn<number>(() => receive),
    echo: () => {
      const ref = system.spawn<Question>(
        () =>
          ({ n, replyTo }) =>
            void replyTo.tell(n),
      );
      return (n) => system.ask<Question, number>(ref, (replyTo) => ({ n, replyTo }), ASK_TIMEOUT_MS);
    },
    close: () => system.shutdown(),
  };
}
