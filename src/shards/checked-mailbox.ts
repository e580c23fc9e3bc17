import { Mailbox, type Sender } from '../actors/mod.ts';
import { checkPlain } from './message-codec.ts';
import { PlacedActorEnded } from './placement.ts';

/** The mailbox of a proxy. A message that could not cross to the other thread is refused here, where it is sent. */
export class CheckedMailbox<M> extends Mailbox<M> {
  override push(message: M, sender?: Sender): void {
    // This one the proxy sends to itself.
    if (!(message instanceof PlacedActorEnded)) checkPlain(message);
    super.push(message, sender);
  }
}
