import { inspect } from 'node:util';
import type { Behaviour, Exit, Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { causeFault } from '../fault.ts';
import { transfer } from '../mod.ts';
import type { ShardHome } from '../module.ts';

export interface TestOptions {
  /** Told the index of each thread that loads this module. */
  readonly loaded: Ref<number>;
}

export type WorkerMessage =
  | { readonly kind: 'echo'; readonly value: unknown; readonly replyTo: Ref<unknown> }
  /** Adds 1 to the first byte, and sends the bytes on with their message. */
  | {
      readonly kind: 'touch';
      readonly bytes: Uint8Array;
      readonly hops: readonly Ref<WorkerMessage>[];
      readonly replyTo: Ref<unknown>;
    }
  | { readonly kind: 'where'; readonly replyTo: Ref<{ readonly shard: number; readonly self: Ref<WorkerMessage> }> }
  /** Tells `to` the numbers from 0 up, all in one turn. */
  | { readonly kind: 'count'; readonly to: Ref<number>; readonly upTo: number }
  | { readonly kind: 'pass-on'; readonly to: Ref<never>; readonly message: unknown }
  | { readonly kind: 'watch'; readonly other: Ref<never>; readonly to: Ref<Exit> }
  | { readonly kind: 'unwatch'; readonly other: Ref<never> }
  | { readonly kind: 'stop'; readonly other: Ref<never> }
  | {
      readonly kind: 'ask';
      readonly other: Ref<WorkerMessage>;
      readonly value: unknown;
      readonly replyTo: Ref<unknown>;
    }
  /** A ref that goes with it makes no difference. */
  | { readonly kind: 'note'; readonly n: number; readonly with?: Ref<never> }
  /** Notes so many numbers at `to`, from 0 up; every third one with a ref of this worker. */
  | { readonly kind: 'note-at'; readonly to: Ref<WorkerMessage>; readonly upTo: number }
  /** Gives bytes away to the worker `at`, and replies how many are left here, and with those that `at` has. */
  | {
      readonly kind: 'echo-bytes';
      readonly bytes: Uint8Array;
      readonly at: Ref<WorkerMessage>;
      readonly replyTo: Ref<unknown>;
    }
  /**
   * Asks `other` so often, with its own ref in the request. The replies are even numbers, which it notes. Replies with
   * the notes after the last one.
   */
  | {
      readonly kind: 'ask-note';
      readonly other: Ref<WorkerMessage>;
      readonly self: Ref<WorkerMessage>;
      readonly count: number;
      readonly replyTo: Ref<readonly number[]>;
    }
  /** Replies with `n`, and then notes the next number at `from`. */
  | {
      readonly kind: 'reply-and-note';
      readonly n: number;
      readonly from: Ref<WorkerMessage>;
      readonly replyTo: Ref<number>;
    }
  /** Replies with the notes when the other actor ends. */
  | { readonly kind: 'notes-at-end'; readonly other: Ref<never>; readonly replyTo: Ref<readonly number[]> }
  | { readonly kind: 'notes'; readonly replyTo: Ref<readonly number[]> }
  | { readonly kind: 'offer'; readonly to: Ref<never>; readonly message: unknown; readonly answer: Ref<boolean> }
  /** Ends the thread in the middle of its work. */
  | { readonly kind: 'exit-now' }
  /** Replies with the ref of an actor that has ended. */
  | { readonly kind: 'gone'; readonly replyTo: Ref<Ref<never>> }
  /** Keeps the thread busy. */
  | { readonly kind: 'compute'; readonly ms: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Waits until the worker is to end. */
  | { readonly kind: 'wait-for-end' }
  /** Spawns a child, which has no proxy. */
  | { readonly kind: 'helper'; readonly replyTo: Ref<Ref<WorkerMessage>> }
  /** Holds buffers of so many bytes, outside of the heap. */
  | { readonly kind: 'hold'; readonly bytes: number }
  | { readonly kind: 'dead-letter-that-throws' }
  | { readonly kind: 'never'; readonly replyTo: Ref<unknown> }
  | { readonly kind: 'end' }
  | { readonly kind: 'fail'; readonly code?: 'VM_GONE' }
  | { readonly kind: 'fail-child' }
  | { readonly kind: 'function'; readonly to: Ref<unknown> }
  /** Tells `to` what seems to be plain, and cannot be cloned. */
  | { readonly kind: 'hidden-function'; readonly to: Ref<unknown> }
  | { readonly kind: 'fault'; readonly fault: string };

export interface WorkerArgs {
  readonly prefix?: string;
  readonly failStart?: boolean;
  /** Told when the worker has cleaned up. */
  readonly stopped?: Ref<string>;
  /** Told the worker's ref while it starts. */
  readonly started?: Ref<Ref<WorkerMessage>>;
  /** Computes for so long in its set-up, before it returns to the event loop. */
  readonly startComputeMs?: number;
  readonly startMs?: number;
}

/** The behaviours that tests of shards place on them. */
export function behaviours(
  home: ShardHome,
  options: TestOptions,
): { worker: (args: WorkerArgs) => Behaviour<WorkerMessage> } {
  options.loaded.tell(home.index);
  return { worker: (args) => worker(home, args) };
}

function worker(home: ShardHome, args: WorkerArgs): Behaviour<WorkerMessage> {
  return async (context) => {
    const notes: number[] = [];
    const held: Uint8Array[] = [];
    if (args.failStart === true) throw new ShoalError('VM_GONE', 'it was told to fail', { details: { vm: 7 } });
    const { stopped, started } = args;
    if (stopped !== undefined) context.onStop(() => void stopped.tell(context.self.path));
    started?.tell(context.self);
    const { startMs = 0, startComputeMs = 0 } = args;
    const endMs = performance.now() + startComputeMs;
    while (performance.now() < endMs);
    if (startMs > 0) await new Promise<void>((resolve) => void context.clock.timer(startMs, resolve));
    return (message) => {
      switch (message.kind) {
        case 'echo':
          message.replyTo.tell(message.value);
          return;
        case 'touch': {
          const { bytes, hops, replyTo } = message;
          bytes[0] = (bytes[0] ?? 0) + 1;
          const [next, ...others] = hops;
          const { buffer } = bytes;
          if (next === undefined) replyTo.tell(transfer({ bytes }, [buffer]));
          else next.tell(transfer({ kind: 'touch', bytes, hops: others, replyTo }, [buffer]));
          return;
        }
        case 'where':
          message.replyTo.tell({ shard: home.index, self: context.self });
          return;
        case 'count':
          for (let n = 0; n < message.upTo; n++) message.to.tell(n);
          return;
        case 'pass-on':
          // Whoever sends this knows the messages of `to`.
          message.to.tell(message.message as never);
          return;
        case 'watch':
          context.watch(message.other, (exit) => ({ kind: 'pass-on', to: message.to, message: exit }));
          return;
        case 'unwatch':
          context.unwatch(message.other);
          return;
        case 'stop':
          void home.system.stop(message.other);
          return;
        case 'ask': {
          const { other, value, replyTo } = message;
          context.pipe(
            home.system.ask<WorkerMessage, unknown>(other, (to) => ({ kind: 'echo', value, replyTo: to }), 60_000),
            (reply) => ({ kind: 'pass-on', to: replyTo, message: reply }),
            (error) => ({ kind: 'pass-on', to: replyTo, message: error }),
          );
          return;
        }
        case 'note':
          notes.push(message.n);
          return;
        case 'note-at':
          for (let n = 0; n < message.upTo; n++) {
            message.to.tell({ kind: 'note', n, ...(n % 3 === 0 ? { with: context.self } : {}) });
          }
          return;
        case 'ask-note': {
          const { other, self, count, replyTo } = message;
          for (let n = 0; n < count; n++) {
            context.ask<WorkerMessage, number>(
              other,
              (to) => ({ kind: 'reply-and-note', n: 2 * n, from: self, replyTo: to }),
              (outcome) => ({ kind: 'note', n: outcome.ok ? outcome.reply : -1 }),
              60_000,
            );
          }
          other.tell({ kind: 'pass-on', to: self, message: { kind: 'notes', replyTo } });
          return;
        }
        case 'reply-and-note': {
          const { n, from, replyTo } = message;
          replyTo.tell(n);
          from.tell({ kind: 'note', n: n + 1 });
          return;
        }
        case 'echo-bytes': {
          const { bytes, at, replyTo } = message;
          const { buffer } = bytes;
          const asked = home.system.ask<WorkerMessage, unknown>(
            at,
            (to) => transfer({ kind: 'echo', value: bytes, replyTo: to }, [buffer]),
            60_000,
          );
          context.pipe(
            asked,
            (echoed) => ({ kind: 'pass-on', to: replyTo, message: [bytes.length, echoed] }),
            (error) => ({ kind: 'pass-on', to: replyTo, message: error }),
          );
          return;
        }
        case 'notes-at-end':
          context.watch(message.other, () => ({ kind: 'notes', replyTo: message.replyTo }));
          return;
        case 'notes':
          message.replyTo.tell(notes);
          return;
        case 'offer':
          // As in `pass-on`.
          return home.system
            .offer<never>(message.to, message.message as never)
            .then((taken) => void message.answer.tell(taken));
        case 'exit-now':
          process.exit(3);
          return;
        case 'dead-letter-that-throws': {
          const child = home.system.spawn<unknown>(() => () => undefined);
          const hostile = {
            [inspect.custom]() {
              throw new Error('it cannot be shown');
            },
          };
          return home.system.stop(child).then(() => void child.tell(hostile));
        }
        case 'gone': {
          const child = home.system.spawn<never>(() => () => undefined);
          return home.system.stop(child).then(() => void message.replyTo.tell(child));
        }
        case 'compute': {
          const endMs = performance.now() + message.ms;
          while (performance.now() < endMs);
          return;
        }
        case 'wait':
          return new Promise((resolve) => context.clock.timer(message.ms, resolve));
        case 'wait-for-end':
          return new Promise((resolve) => context.signal.addEventListener('abort', () => resolve()));
        case 'helper':
          message.replyTo.tell(context.spawn(worker(home, {}), { name: 'helper' }));
          return;
        case 'hold':
          held.push(new Uint8Array(message.bytes));
          return;
        case 'never':
          return;
        case 'end':
          context.exit();
          return;
        case 'fail':
          throw new ShoalError(message.code ?? 'INTERNAL', 'told to fail', {
            details: { vm: 7 },
            cause: new Error('why'),
          });
        case 'fail-child':
          context.spawn(() => {
            throw new Error('a child fails');
          });
          return;
        case 'function':
          message.to.tell({ deep: [{ callback: () => undefined }] });
          return;
        case 'hidden-function':
          message.to.tell(Object.assign([1], { hidden: () => 1 }));
          return;
        case 'fault':
          causeFault(message.fault);
          return;
      }
    };
  };
}
