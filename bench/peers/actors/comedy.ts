import comedy from 'comedy';
import type { ActorLibrary } from './library.ts';

export async function open(): Promise<ActorLibrary> {
  const system = comedy.createSystem({ log: false });
  const root = await system.rootActor();
  return {
    spawn: async (receive) => {
      const actor = await root.createChild({ tell: receive });
      return { tell: (message) => actor.send('tell', message) };
    },
    echo: async () => {
      const actor = await root.createChild({ ask: (message: number) => message });
      return (message) => actor.sendAndReceive('ask', message);
    },
    close: () => system.destroy(),
  };
}
