import { asCell } from '../as-cell.ts';
import type { Behaviour } from '../behaviour.ts';
import { type Forwarder, passOn, tolerant, unknownKind } from '../pass-on.ts';
import type { Ref } from '../ref.ts';
import { WatchedRefs } from './watched-refs.ts';

/** What a topic understands. `M` is the type of the messages that are published. */
export type TopicMessage<M> =
  /** Goes to each subscriber: the same object to all of them, so none may change it. */
  | { readonly kind: 'publish'; readonly message: M }
  /** From now on the subscriber is sent all messages, until it ends. */
  | { readonly kind: 'subscribe'; readonly subscriber: Ref<M>; readonly of?: undefined }
  | SubscribeTo<M>
  | { readonly kind: 'unsubscribe'; readonly subscriber: Ref<never> }
  /** A subscriber has ended. */
  | { readonly kind: 'ended'; readonly subscriber: Ref<never> };

/** From now on the subscriber is also sent the messages of the kind `of`, until it ends. */
export type SubscribeTo<M> = M extends { readonly kind: infer K }
  ? { readonly kind: 'subscribe'; readonly subscriber: Ref<M>; readonly of: K }
  : never;

/** The kinds of messages that a subscriber takes. */
type Kinds = Set<unknown> | 'all';

/**
 * A topic sends each message that is published to all its subscribers, in the order of publication. A subscription
 * ends with the subscriber's incarnation: an actor that is restarted subscribes anew, at its start. A message that
 * nobody has subscribed to is a dead letter (`no-subscriber`); one that a subscriber does not take is a dead letter of
 * that subscriber, as is one that it cannot take (`invalid`).
 */
export function topic<M>(): Behaviour<TopicMessage<M>> {
  return (context) => {
    const subscribers = new WatchedRefs<TopicMessage<M>, Kinds>(context, (subscriber) => ({
      kind: 'ended',
      subscriber,
    }));
    return tolerant(context, (message) => {
      switch (message.kind) {
        case 'publish':
          if (publish(context, message.message, subscribers.entries())) return;
          refuse(context.self, message.message);
          return;
        case 'subscribe':
          subscribers.set(message.subscriber, withKind(subscribers.get(message.subscriber), message.of));
          return;
        case 'unsubscribe':
        case 'ended':
          subscribers.delete(message.subscriber);
          return;
        default:
          throw unknownKind(message, 'publish', 'subscribe', 'unsubscribe');
      }
    });
  };
}

/** @returns whether anybody has subscribed to it */
function publish<M>(by: Forwarder, message: M, subscribers: Iterable<[Ref<never>, Kinds]>): boolean {
  let hasReceiver = false;
  for (const [subscriber, kinds] of subscribers) {
    if (kinds !== 'all' && !kinds.has(kindOf(message))) continue;
    hasReceiver = true;
    // It has subscribed to messages of this type, or of this kind.
    passOn(by, subscriber as Ref<M>, message);
  }
  return hasReceiver;
}

function withKind(kinds: Kinds | undefined, kind: unknown): Kinds {
  return kind === undefined || kinds === 'all' ? 'all' : new Set(kinds).add(kind);
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
}

function refuse<M>(topicRef: Ref<M>, message: unknown): void {
  const { kernel, path, senderInHand } = asCell(topicRef);
  kernel.deadLetters.add({ from: senderInHand?.path ?? '-', to: path, message, why: 'no-subscriber' });
}
