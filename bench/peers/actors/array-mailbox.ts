import type { ActorLibrary } from './library.ts';

/** A mailbox in ten lines, without anything else of an actor: the lower bound. */
class ArrayMailbox {
  #queue: number[] = [];
  readonly #receive: (message: number) => void;

  constructor(receive: (message: number) => void) {
    this.#receive = receive;
  }

  tell(message: number): void {
    if (this.#queue.push(message) === 1) queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const message of queue) this.#receive(message);
  }
}

export function open(): ActorLibrary {
  return { spawn: (receive) => new ArrayMailbox(receive), echo: undefined, close: () => undefined };
}
