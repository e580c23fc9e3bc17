import type { Behaviour, Ref } from '../actors/mod.ts';
import { codeOf, fromEnvelope, ShoalError } from '../errors.ts';
import type { PlacedOptions } from './control.ts';
import { Ended, type Seat } from './seat.ts';

export interface StandInOptions {
  readonly behaviour: string;
  /** Asked anew each time that the actor is placed; what it returns may be a promise. */
  readonly args: () => unknown;
  readonly options: PlacedOptions;
  /** Told on which shard the actor is, each time that it is placed. */
  readonly onPlaced: ((shard: number) => void) | undefined;
  /** Resolves when there is a shard to place it on, with a place that is taken. */
  readonly take: (self: Ref<never>, options: PlacedOptions, signal: AbortSignal) => Promise<Seat>;
}

/** Shards that end while an actor is being placed on them, one after the other, before we give up. */
const TRIES_MAX = 5;

/**
 * Stands on the main thread for an actor on a shard: messages to it go there, and it ends as that one does. Being an actor it is watched,
 * asked, stopped and supervised as any other; put up again it places another there.
 */
export function standIn<M>(of: StandInOptions): Behaviour<M> {
  return async (context) => {
    let seat: Seat | undefined;
    context.onStop(() => seat?.leave(), 'before-children');
    for (let tries = 1; ; tries++) {
      seat = await of.take(context.self, of.options, context.signal);
      try {
        const args = await of.args();
        // A stop meanwhile has given the place back: who is placed now would have nobody to end it.
        if (context.signal.aborted) throw new ShoalError('ACTOR_STOPPED', 'stopped while its arguments were made');
        await seat.place(of.behaviour, args);
        context.standsFor(`shard-${seat.shard}`);
        of.onPlaced?.(seat.shard);
        break;
      } catch (error) {
        // Nobody has seen it start: it is not the actor that failed.
        if (codeOf(error) !== 'SHARD_LOST' || tries === TRIES_MAX) throw error;
      }
    }
    const { ended } = seat;
    const placed = seat;
    // It tells itself more than others may; its mailbox knows.
    context.pipe(ended, asMessage<M>, asMessage<M>);
    return (message) => {
      if (!(message instanceof Ended)) return placed.tell(message);
      if (message.reason.kind === 'error') throw fromEnvelope(message.reason.error);
      context.exit();
      return undefined;
    };
  };
}

function asMessage<M>(news: unknown): M {
  // What `standIn` tells itself, among the messages of the actor that it stands for.
  return news as M;
}
