import type { Behaviour, Ref } from '../../actors/mod.ts';

export type PlacedMessage =
  | { readonly kind: 'ask'; readonly replyTo: Ref<string> }
  /** To watch `of`, and to tell `told` how it ended. */
  | { readonly kind: 'watch'; readonly of: Ref<never>; readonly told: Ref<string> };

/** An actor for a shard of a host. */
export function behaviours() {
  return {
    placed:
      (): Behaviour<PlacedMessage | { kind: 'ended'; told: Ref<string>; how: string }> => (context) => (message) => {
        switch (message.kind) {
          case 'ask':
            message.replyTo.tell('from a shard');
            return;
          case 'watch': {
            const { of, told } = message;
            context.watch(of, ({ reason }) => ({
              kind: 'ended',
              told,
              how: reason.kind === 'error' ? String(reason.error.code) : reason.kind,
            }));
            return;
          }
          case 'ended':
            message.told.tell(message.how);
            return;
        }
      },
  };
}
