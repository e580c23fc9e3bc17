import { EventEmitter } from 'node:events';
import type { ActorLibrary } from './library.ts';

/** No mailbox: the listener runs before `emit` returns. */
export function open(): ActorLibrary {
  return {
    spawn: (receive) => {
      const emitter = new EventEmitter();
      emitter.on('message', receive);
      return { tell: (message) => emitter.emit('message', message) };
    },
    echo: undefined,
    close: () => undefined,
  };
}
