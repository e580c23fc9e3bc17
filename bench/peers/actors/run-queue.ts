import type { ActorLibrary } from './library.ts';

/** The array mailbox with a queue of actors that have mail, so that one microtask serves many: a lower bound still. */
class QueuedMailbox {
  #queue: number[] = [];
  readonly #receive: (message: number) => void;

  constructor(receive: (message: number) => void) {
    this.#receive = receive;
  }

  tell(message: number): void {
    if (this.#queue.push(message) === 1 && ready.push(this) === 1) queueMicrotask(runReady);
  }

  drain(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const message of queue) this.#receive(message);
  }
}

let ready: QueuedMailbox[] = [];

function runReady(): void {
  const now = ready;
  ready = [];
  for (const mailbox of now) mailbox.drain();
}

export function open(): ActorLibrary {
  return { spawn: (receive) => new QueuedMailbox(receive), echo: undefined, close: () => undefined };
}
