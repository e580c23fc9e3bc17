import type { Behaviour, Ref } from '../../src/actors/mod.ts';
import type { ShardHome } from '../../src/shards/mod.ts';
import { askRound } from '../shards/ask-round.ts';

export type BenchMessage =
  | { readonly kind: 'add'; readonly n: number }
  | { readonly kind: 'sum'; readonly replyTo: Ref<number> }
  | { readonly kind: 'echo'; readonly n: number; readonly replyTo: Ref<number> };

/** Asks so many times, one after the other, and replies with the median round trip. */
export interface AskRound {
  readonly asks: number;
  readonly replyTo: Ref<number>;
}

/** An interface would not do: it has no index signature. */
type Behaviours = {
  readonly worker: (args: Readonly<Record<string, never>>) => Behaviour<BenchMessage>;
  /** Passes each message on, as fast as its receiver takes them. */
  readonly relay: (to: Ref<number>) => Behaviour<number>;
  readonly asker: (other: Ref<BenchMessage>) => Behaviour<AskRound>;
};

const ASK_MS = 60_000;

/** What the benchmark places on a shard. */
export function behaviours({ system }: ShardHome): Behaviours {
  return {
    worker: () => () => {
      let sum = 0;
      return (message) => {
        switch (message.kind) {
          case 'add':
            sum += message.n;
            return;
          case 'sum':
            message.replyTo.tell(sum);
            return;
          case 'echo':
            message.replyTo.tell(message.n);
            return;
        }
      };
    },
    relay: (to) => () => async (n) => {
      // A message that was not taken is missed at the end of the round.
      await system.offer(to, n);
    },
    asker:
      (other) =>
      () =>
      async ({ asks, replyTo }) => {
        const ask = (n: number): Promise<number> =>
          system.ask<BenchMessage, number>(other, (back) => ({ kind: 'echo', n, replyTo: back }), ASK_MS);
        replyTo.tell(await askRound(asks, ask));
      },
  };
}
