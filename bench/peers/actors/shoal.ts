import { join } from 'node:path';
import type { createSystem as Create, Ref } from '../../../src/actors/mod.ts';
import { measuredCheckout } from '../../actors/measured-checkout.ts';
import { type ActorLibrary, ASK_TIMEOUT_MS } from './library.ts';

/** The peers have no limit. At the default one, 100 000 actors that tell one other actor would lose messages. */
const CAPACITY = 1_000_000;

interface Question {
  readonly n: number;
  readonly replyTo: Ref<number>;
}

/** The actors of the checkout that is measured. What is used of them has the same form in all that are compared. */
export async function open(): Promise<ActorLibrary> {
  const module: { createSystem: typeof Create } = await import(join(measuredCheckout(), 'src', 'actors', 'mod.ts'));
  const system = module.createSystem();
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
