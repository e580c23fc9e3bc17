import { AsyncLocalStorage } from 'node:async_hooks';
import type { Behaviour, Ref, Tracing } from '../../actors/mod.ts';
import type { ShardHome } from '../module.ts';

/** For `createShards`. */
export const thisModule = new URL(import.meta.url);

/** Where a message was handled, and in which context. */
export interface Handled {
  readonly by: string;
  readonly context: string | undefined;
}

export interface Relay {
  /** Those through whom it goes yet; the last one is the first of this list. */
  readonly through: readonly Ref<Relay>[];
  readonly end: Ref<'end'>;
}

interface Context {
  readonly name: string;
}

/** Contexts with names, which are followed as OpenTelemetry's are. */
export function namedContexts(handled: (handled: Handled) => void): Tracing<Context> {
  const storage = new AsyncLocalStorage<Context | undefined>();
  return {
    current: () => storage.getStore(),
    within: (context, run) => storage.run(context, run),
    handle: ({ to }, context, handle) => {
      handled({ by: to, context: context?.name });
      return storage.run(context, handle);
    },
    toText: ({ name }) => name,
    fromText: (name) => ({ name }),
  };
}

/** The module of shards whose actors pass messages on after an `await`. */
export function behaviours(
  home: ShardHome,
  options: { readonly handled: Ref<Handled> },
): { relay: (args: undefined) => Behaviour<Relay> } {
  home.system.tracing = namedContexts((handled) => {
    // This is sent in no context, and the reports are not reported.
    home.system.tracing?.within(undefined, () => options.handled.tell(handled));
  });
  return {
    relay: () => () => async (message) => {
      await new Promise((resolve) => setImmediate(resolve));
      const [next, ...rest] = message.through.toReversed();
      if (next === undefined) message.end.tell('end');
      else next.tell({ ...message, through: rest.toReversed() });
    },
  };
}
