import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';

let sum = 0;

/** The same work behind comlink. */
export const api = {
  add(n: number): void {
    sum += n;
  },
  echo: (n: number): number => n,
  sum: (): number => sum,
};

// Node's ports fit comlink's endpoint, but not its types.
if (parentPort !== null) expose(api, parentPort as unknown as Parameters<typeof expose>[1]);
