import { type MessagePort, parentPort } from 'node:worker_threads';

/** Sends back each message, to the main thread or over a port that it is given. */
parentPort?.on('message', (message: number | { readonly port: MessagePort }) => {
  if (typeof message === 'number') {
    parentPort?.postMessage(message);
    return;
  }
  const { port } = message;
  port.on('message', (n: number) => port.postMessage(n));
});
