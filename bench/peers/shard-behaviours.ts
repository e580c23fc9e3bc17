import type { Behaviour, Ref } from '../../src/actors/mod.ts';

export type BenchMessage =
  | { readonly kind: 'add'; readonly n: number }
  | { readonly kind: 'sum'; readonly replyTo: Ref<number> }
  | { readonly kind: 'echo'; readonly n: number; readonly replyTo: Ref<number> };

/** What the benchmark places on a shard. */
export function behaviours(): { readonly worker: (args: Readonly<Record<string, never>>) => Behaviour<BenchMessage> } {
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
  };
}
