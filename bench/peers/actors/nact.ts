import { dispatch, query, type Ref, spawn, start, stop } from 'nact';
import { type ActorLibrary, ASK_TIMEOUT_MS } from './library.ts';

interface Question {
  readonly n: number;
  readonly sender: Ref<number>;
}

export function open(): ActorLibrary {
  const system = start();
  return {
    spawn: (receive) => {
      const ref = spawn(system, (state: undefined, message: number) => {
        receive(message);
        return state;
      });
      return { tell: (message) => dispatch(ref, message) };
    },
    echo: () => {
      const ref = spawn(system, (state: undefined, { n, sender }: Question) => {
        dispatch(sender, n);
        return state;
      });
      return (n) => query(ref, (sender: Ref<number>): Question => ({ n, sender }), ASK_TIMEOUT_MS);
    },
    close: () => stop(system),
  };
}
