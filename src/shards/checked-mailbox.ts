import { Mailbox, type Sender } from '../actors/mod.ts';
import { checkPlain } from './parcel.ts';
import { Ended } from './seat.ts';

/** The mailbox of an actor whose messages go on to another thread: one that could not is refused where it is sent. */
export class CheckedMailbox<M> extends Mailbox<M> {
  override push(message: M, sender?: Sender): void {
    // What a stand-in tells itself stays here.
    if (!(message instanceof Ended)) checkPlain(message);
    super.push(message, sender);
  }
}
