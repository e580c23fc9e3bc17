import type { Addressee } from './addressee.ts';
import type { EndListener } from './ends.ts';
import type { Sender } from './mailbox.ts';
import { Notice } from './notice.ts';
import type { Exit } from './ref.ts';

/** Whoever watches. */
interface Watcher<M> extends Sender {
  hear(exit: Exit, watch: Watch<M>): void;
}

/** That an actor watches another: told of its end, and the sender of the message about that. */
export class Watch<M> extends Notice<Watcher<M>> implements EndListener {
  readonly actor: Addressee;
  toMessage: (exit: Exit) => M;

  constructor(watcher: Watcher<M>, actor: Addressee, toMessage: (exit: Exit) => M) {
    super(watcher);
    this.actor = actor;
    this.toMessage = toMessage;
  }

  ended(exit: Exit): void {
    this.owner.hear(exit, this);
  }
}
