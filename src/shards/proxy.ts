import { type Behaviour, dropResult, type Ref } from '../actors/mod.ts';
import { codeOf, fromEnvelope, ShoalError } from '../errors.ts';
import type { PlacedOptions } from './control.ts';
import type { Placement } from './placement.ts';

export interface ProxyOptions {
  readonly behaviour: string;
  /** Called each time that the actor is placed; may return a promise. */
  readonly args: () => unknown;
  readonly options: PlacedOptions;
  /** Told the shard each time that the actor is placed. */
  readonly onPlaced: ((shard: number) => void) | undefined;
  /** Resolves with a reserved place as soon as a shard has one. */
  readonly reserve: (proxy: Ref<never>, options: PlacedOptions, signal: AbortSignal) => Promise<Placement>;
}

/** How often an actor is placed before we give up, when each shard ends while the actor starts on it. */
const TRIES_MAX = 5;

/**
 * The behaviour of a proxy: an actor on the main thread that passes its messages on to an actor on a shard, and ends
 * when that one does. It is watched, asked, stopped and supervised like any other actor. When it is restarted, it
 * places another actor.
 */
export function proxy<M>(of: ProxyOptions): Behaviour<M> {
  return async (context) => {
    let reserved: Placement | undefined;
    context.onStop(() => reserved?.end(), 'before-children');
    for (let tries = 1; ; tries++) {
      reserved = await of.reserve(context.self, of.options, context.signal);
      try {
        const args = await of.args();
        // A stop in the meantime has given the place back. An actor that starts now would never be stopped.
        if (context.signal.aborted) throw new ShoalError('ACTOR_STOPPED', 'stopped while its arguments were made');
        await reserved.start(of.behaviour, args);
        context.standsFor(`shard-${reserved.shard}`);
        dropResult(of.onPlaced?.(reserved.shard));
        break;
      } catch (error) {
        // A stop that came before the place was reserved has found none to give back.
        if (context.signal.aborted) await reserved.end();
        // Nobody has seen the actor start, so its shard's end is not its failure.
        if (codeOf(error) !== 'SHARD_LOST' || tries === TRIES_MAX) throw error;
      }
    }
    const placement = reserved;
    context.signal.addEventListener('abort', () => placement.hurry(), { once: true });
    // Not by a message: in the mailbox of a proxy are messages for the actor behind it, and nothing else.
    const failure = new Promise<never>((_resolve, reject) => {
      void placement.ended.then((reason) => {
        if (reason.kind === 'error') reject(fromEnvelope(reason.error));
        else context.exit();
      });
    });
    context.pipe(failure, fail, fail);
    return (message) => placement.tell(message);
  };
}

/** A proxy fails as the actor behind it has failed. */
function fail(error: unknown): never {
  throw error;
}
