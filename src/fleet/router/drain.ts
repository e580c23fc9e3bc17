import type { Ref } from '../../actors/mod.ts';

/** Those that wait for the router to have nothing in hand any more. */
export class Drain {
  #isDone = false;
  #waiting: Ref<true>[] = [];

  /** All that asked have been told. From then on whoever closes the router ends the VMs, or leaves them running, as was asked. */
  get isDone(): boolean {
    return this.#isDone;
  }

  ask(replyTo: Ref<true>): void {
    this.#waiting.push(replyTo);
  }

  /** Tells each that asked once, when nothing is open. */
  look(open: number): void {
    if (open > 0 || this.#waiting.length === 0) return;
    this.#isDone = true;
    for (const replyTo of this.#waiting.splice(0)) replyTo.tell(true);
  }
}
