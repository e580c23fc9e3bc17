import { fromEnvelope, ShoalError } from '../errors.ts';
import type { Addressee } from './addressee.ts';
import type { DeadlineQueue, Expiring } from './deadlines.ts';
import type { EndListener } from './ends.ts';
import type { Kernel } from './kernel.ts';
import type { ListNode } from './linked-list.ts';
import type { Exit, Ref } from './ref.ts';

/** Told once how a request ended. */
export interface Asker<R> {
  readonly replied: (reply: R) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Takes the first reply to an ask. A reply that comes later, or after the ask has failed, is a dead letter. It waits
 * for the end of the actor that was asked, and for the deadline, without a closure for either.
 */
export class ReplyRef<R> implements Ref<R>, Expiring, EndListener {
  since: Expiring['since'];
  next: Expiring | undefined;
  previous: Expiring | undefined;
  readonly #kernel: Pick<Kernel, 'current' | 'deadLetters'>;
  readonly #asked: Addressee;
  readonly #replied: (reply: R) => void;
  readonly #failed: (error: unknown) => void;
  readonly #deadlines: DeadlineQueue;
  /** Its place among those who wait for the end of an actor of this thread. */
  readonly #ending: ListNode<EndListener> | undefined;
  readonly #unlisten: (() => void) | undefined;
  #outcome: 'replied' | 'failed' | undefined;
  #settled: (() => void) | undefined;

  constructor(
    kernel: Pick<Kernel, 'current' | 'deadLetters' | 'deadlines'>,
    asked: Addressee,
    timeoutMs: number,
    { replied, failed }: Asker<R>,
  ) {
    this.#kernel = kernel;
    this.#asked = asked;
    this.#replied = replied;
    this.#failed = failed;
    this.#deadlines = kernel.deadlines.queueOf(timeoutMs);
    this.#deadlines.add(this);
    const { ends } = asked;
    if (ends === undefined) this.#unlisten = asked.onEnd((exit) => this.ended(exit));
    else this.#ending = ends.listeners.push(this);
  }

  /** Worked out when it is asked for: that happens in few asks. */
  get path(): string {
    return `${this.#asked.path}?`;
  }

  tell(reply: R): boolean {
    if (this.#outcome !== undefined) return this.#refuse(reply);
    this.#settle('replied');
    this.#replied(reply);
    return true;
  }

  /** No reply will come. @returns false if there is one already, or the ask has failed before */
  fail(error: unknown): boolean {
    if (this.#outcome !== undefined) return false;
    this.#settle('failed');
    this.#failed(error);
    return true;
  }

  expire(): void {
    const text = `${this.#asked.path} did not reply within ${this.#deadlines.timeoutMs} ms`;
    this.fail(new ShoalError('ACTOR_ASK_TIMEOUT', text));
  }

  ended({ reason }: Exit): void {
    const cause = reason.kind === 'error' ? fromEnvelope(reason.error) : undefined;
    this.fail(new ShoalError('ACTOR_STOPPED', `${this.#asked.path} ended before it replied`, { cause }));
  }

  get hasReply(): boolean {
    return this.#outcome === 'replied';
  }

  /** Calls `listener` when the ask has its reply or has failed, at once if that is so already. */
  onSettled(listener: () => void): void {
    const before = this.#settled;
    if (this.#outcome !== undefined) listener();
    else if (before === undefined) this.#settled = listener;
    else {
      this.#settled = () => {
        before();
        listener();
      };
    }
  }

  #settle(outcome: 'replied' | 'failed'): void {
    this.#outcome = outcome;
    this.#deadlines.remove(this);
    this.#ending?.list?.remove(this.#ending);
    // A ref whose thread is gone says so before `onEnd` returns.
    this.#unlisten?.();
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.();
  }

  #refuse(reply: R): false {
    const { current, deadLetters } = this.#kernel;
    const why = this.#outcome === 'replied' ? 'second-reply' : 'late-reply';
    deadLetters.add({ from: current?.path ?? '-', to: this.path, message: reply, why });
    return false;
  }
}
