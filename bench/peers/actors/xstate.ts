import { createActor, fromTransition } from 'xstate';
import type { ActorLibrary } from './library.ts';

/** Actors of xstate do not reply; their snapshots are read instead. */
export function open(): ActorLibrary {
  const actors: { stop(): unknown }[] = [];
  return {
    spawn: (receive) => {
      const logic = fromTransition((state: null, event: { readonly type: 'tell'; readonly message: number }) => {
        receive(event.message);
        return state;
      }, null);
      const actor = createActor(logic).start();
      actors.push(actor);
      return { tell: (message) => actor.send({ type: 'tell', message }) };
    },
    echo: undefined,
    close: () => {
      for (const actor of actors) actor.stop();
    },
  };
}
