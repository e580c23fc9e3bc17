import type { Ref } from '../actors/mod.ts';

/** Who waits for the router to have nothing in hand any more. */
export class Closing {
  #asked = false;
  #done = false;
  #waiting: Ref<true>[] = [];

  get isAsked(): boolean {
    return this.#asked;
  }

  /** Whoever asked has been told. */
  get isDone(): boolean {
    return this.#done;
  }

  ask(replyTo: Ref<true>): void {
    this.#asked = true;
    this.#waiting.push(replyTo);
  }

  /** Tells each who asked once, when nothing is open. */
  look(open: number): void {
    if (open > 0) return;
    this.#done = true;
    for (const replyTo of this.#waiting.splice(0)) replyTo.tell(true);
  }
}
