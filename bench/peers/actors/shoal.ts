import { createSystem, type Ref } from '../../../src/actors/mod.ts';
import { type ActorLibrary, ASK_TIMEOUT_MS } from './library.ts';

/** The peers have no limit. At the default one, 100 000 actors that tell one other actor would lose messages. */
const CAPACITY = 1_000_000;

interface Question {
  readonly n: number;
  readonly replyTo: Ref<number>;
}

export function open(): ActorLibrary {
  const system = createSystem();
  return {
    spawn: (receive) => system.spawn<number>(() => receive, { capacity: CAPACITY }),
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
