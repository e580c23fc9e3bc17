import { Mailbox, type Sender } from '../actors/mod.ts';
import { checkPlain } from './message-codec.ts';

/** The mailbox of a proxy. A message that could not cross to the other thread is refused here, where it is sent. */
export class CheckedMailbox<M> extends Mailbox<M> {
  override push(message: M, sender?: Sender): void {
    checkPlain(message);
    super.push(message, sender);
  }
}
