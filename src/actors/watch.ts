import type { Addressee } from './addressee.ts';
import type { EndListener } from './ends.ts';
import type { Sender } from './mailbox.ts';
import { Notice } from './notice.ts';
import type { Exit } from './ref.ts';

/** Whoever watches. */
interface Watcher<M> {
  hear(exit: Exit, watch: Watch<M>): void;
}

/** That an actor watches another: told of its end, and the sender of the message about that. */
export class Watch<M> extends Notice implements EndListener {
  readonly actor: Addressee;
  readonly #watcher: Watcher<M>;
  toMessage: (exit: Exit) => M;

  constructor(owner: Sender, actor: Addressee, watcher: Watcher<M>, toMessage: (exit: Exit) => M) {
    super(owner);
    this.actor = actor;
    this.#watcher = watcher;
    this.toMessage = toMessage;
  }

  ended(exit: Exit): void {
    this.#watcher.hear(exit, this);
  }
}
