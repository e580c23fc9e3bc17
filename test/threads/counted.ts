import type { Behaviour, Context, Receive, Ref } from '../../src/actors/mod.ts';
import type { ShardHome } from '../../src/shards/mod.ts';

/**
 * What a test counts, on all threads, in shared memory. An actor adds to `sent` what it is about to send, and
 * to `refused` what it was told is not on its way.
 */
export const COUNTS = ['sent', 'refused', 'handled'] as const;

const BRIEF_MS = 2;

export interface CountedMessage {
  readonly steps: readonly Step[];
  /** What the receiver does before anything else. */
  readonly fault?: 'crash' | 'exit' | 'throw' | 'last-words' | undefined;
}

/** What the receiver of a message sends. */
export interface Step {
  readonly to: Ref<CountedMessage>;
  readonly times: number;
  /** An offer that is brief is given up soon. */
  readonly how: 'tell' | 'offer' | 'brief-offer' | 'through-child';
  readonly fault?: CountedMessage['fault'];
}

/** Adds to a count. */
export function add(counts: Int32Array, name: (typeof COUNTS)[number], count = 1): void {
  Atomics.add(counts, COUNTS.indexOf(name), count);
}

/** Sends a message by `tell`, and counts it. */
export function send(counts: Int32Array, to: Ref<CountedMessage>, message: CountedMessage): void {
  add(counts, 'sent');
  if (!to.tell(message)) add(counts, 'refused');
}

/** An actor that counts what it handles, and sends what it is told to. On the main thread it does not end its thread. */
export function counted(counts: Int32Array, endsThread = false): Behaviour<CountedMessage> {
  const handled = (receive: Receive<CountedMessage>): Receive<CountedMessage> =>
    endsThread ? receive : ({ steps, fault }) => receive({ steps, fault: fault === 'crash' ? fault : undefined });
  return (context) => {
    const child = context.spawn<CountedMessage>((own) => handled(receive(counts, own, undefined)));
    return handled(receive(counts, context, child));
  };
}

/** The same, on a shard. */
export function behaviours(_home: ShardHome): { counted: (counts: Int32Array) => Behaviour<CountedMessage> } {
  return { counted: (counts) => counted(counts, true) };
}

function receive(
  counts: Int32Array,
  context: Context<CountedMessage>,
  child: Ref<CountedMessage> | undefined,
): Receive<CountedMessage> {
  return ({ steps: [step, ...steps], fault }) => {
    add(counts, 'handled');
    if (fault === 'crash') throw new Error('told to crash');
    if (fault === 'exit') process.exit(7);
    if (fault === 'throw') setImmediate(throwUncaught);
    if (step === undefined) return undefined;
    const { to, times, how } = step;
    const message: CountedMessage = { steps, fault: step.fault };
    if (how === 'offer' || how === 'brief-offer') return offer(counts, context, step, message);
    for (let n = 0; n < times; n++) {
      if (how === 'through-child' && child !== undefined) {
        send(counts, child, { steps: [{ ...step, times: 1, how: 'tell' }, ...steps] });
      } else {
        send(counts, to, message);
      }
    }
    if (fault === 'last-words') process.exit(7);
    return undefined;
  };
}

async function offer(
  counts: Int32Array,
  context: Context<CountedMessage>,
  { to, times, how }: Step,
  message: CountedMessage,
): Promise<void> {
  for (let n = 0; n < times; n++) {
    add(counts, 'sent');
    const limit = how === 'brief-offer' ? { timeoutMs: BRIEF_MS } : {};
    if (await context.offer(to, message, limit)) continue;
    add(counts, 'refused');
    // The next ones would wait as long, each of them.
    if (how === 'brief-offer') return;
  }
}

function throwUncaught(): never {
  throw new Error('told to throw');
}
