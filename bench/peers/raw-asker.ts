import { once } from 'node:events';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { askRound } from '../shards/ask-round.ts';

/** The asker among two raw workers: it has a port that leads straight to the other. */
parentPort?.on('message', async ({ asks, port }: { readonly asks: number; readonly port?: MessagePort }) => {
  if (port !== undefined) other = port;
  const to = other;
  if (to === undefined) throw new Error('the first message has a port');
  parentPort?.postMessage(
    await askRound(asks, async (n) => {
      const reply = once(to, 'message');
      to.postMessage(n);
      return (await reply)[0];
    }),
  );
});

let other: MessagePort | undefined;
