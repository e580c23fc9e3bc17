import type { Handling } from './hooks.ts';
import type { Mailbox, Sender } from './mailbox.ts';
import { Notice } from './notice.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Carries the trace context of a sender beside its message to the handling, also to other threads. Without it, neither
 * a message nor an actor costs more. `C` is the type of the contexts.
 */
export interface Tracing<C extends object = object> {
  /** The context of the code that runs; undefined: there is none to carry. */
  current(): C | undefined;
  /** Runs a function in a context, or in none. */
  within<R>(context: C | undefined, run: () => R): R;
  /** Calls `handle`, which handles a message, once, and returns its result. @param context that of the sender */
  handle<R>(handling: Handling, context: C | undefined, handle: () => R): R;
  /** How a context crosses to another thread. */
  toText(context: C): string | undefined;
  fromText(text: string): C | undefined;
}

/** A sender and the context in which it has sent. It stands in the sender's place. */
class SenderInContext implements Sender {
  readonly #sender: Sender | undefined;
  readonly context: object;

  constructor(sender: Sender | undefined, context: object) {
    this.#sender = sender;
    this.context = context;
  }

  get path(): string {
    return this.#sender?.path ?? '-';
  }
}

/** The same mailbox, which from now on keeps the context of each message that an actor or a program sends. */
export function traced<M>(mailbox: Mailbox<M>, tracing: Tracing | undefined): Mailbox<M> {
  if (tracing === undefined) return mailbox;
  const push = mailbox.push.bind(mailbox);
  mailbox.push = (message, sender) => {
    const context = tracing.current();
    // A notice must be found again when it is revoked. Timers and watches have no context to carry.
    push(message, context === undefined || sender instanceof Notice ? sender : new SenderInContext(sender, context));
  };
  return mailbox;
}

/** The same scheduler, whose turns run in no context, whoever has caused them. */
export function rooted(scheduler: Scheduler, tracing: Tracing): Scheduler {
  return { schedule: (runnable) => tracing.within(undefined, () => scheduler.schedule(runnable)) };
}

/** Who looks on while messages are handled. */
export interface Observers {
  readonly onMessage: ((handling: Handling) => void) | undefined;
  readonly tracing: Tracing | undefined;
}

/** A function that will run in the context in which this is called. */
export function inContext<R>(tracing: Tracing | undefined, run: () => R): () => R {
  if (tracing === undefined) return run;
  const context = tracing.current();
  return () => tracing.within(context, run);
}

/** Handles a message that somebody looks at. */
export function observed<M, R>(
  { onMessage, tracing }: Observers,
  receiver: { readonly path: string; readonly senderInHand: Sender | undefined },
  message: M,
  receive: ((message: M) => R) | undefined,
): R | undefined {
  const { path, senderInHand } = receiver;
  const handling = { from: senderInHand?.path ?? '-', to: path, message };
  onMessage?.(handling);
  if (tracing === undefined) return receive?.(message);
  const context = senderInHand instanceof SenderInContext ? senderInHand.context : undefined;
  return tracing.handle(handling, context, () => receive?.(message));
}
