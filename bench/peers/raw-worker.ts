import { parentPort } from 'node:worker_threads';

/** The work of the shard, by hand on the bare port. */
type RawMessage =
  | { readonly kind: 'add'; readonly n: number }
  | { readonly kind: 'sum' }
  | { readonly kind: 'echo'; readonly n: number };

let sum = 0;
parentPort?.on('message', (message: RawMessage) => {
  switch (message.kind) {
    case 'add':
      sum += message.n;
      return;
    case 'sum':
      parentPort?.postMessage(sum);
      return;
    case 'echo':
      parentPort?.postMessage(message.n);
      return;
  }
});
