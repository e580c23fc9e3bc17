import type { Exit, Ref } from '../../actors/mod.ts';
import type { Write } from '../policy/on-write.ts';
import type { RequestFigures } from '../state/request-counts.ts';
import type { FleetSnapshot } from '../state/snapshot.ts';
import type { Address } from '../values/address.ts';
import type { CommandMessage } from '../values/command-messages.ts';
import type { HostEvent } from '../values/host-messages.ts';
import type { LinkEvent } from '../values/link-messages.ts';
import type { Params } from '../values/params.ts';
import type { Request } from '../values/request.ts';
import type { RequestState } from '../values/request-record.ts';
import type { VmId } from '../values/vm-id.ts';
import type { NeighbourMessage } from './neighbour-messages.ts';

export type RouterMessage =
  | { readonly kind: 'request'; readonly request: Request }
  | LinkEvent
  | HostEvent
  | CommandMessage
  | { readonly kind: 'snapshot'; readonly replyTo: Ref<FleetSnapshot> }
  /** Where a request is now; replies null if nothing is known of it. */
  | { readonly kind: 'explain-request'; readonly requestId: string; readonly replyTo: Ref<RequestState | null> }
  | { readonly kind: 'request-figures'; readonly replyTo: Ref<RequestFigures> }
  | { readonly kind: 'params'; readonly params: Params }
  /** The pool has grown; durable already. */
  | { readonly kind: 'add-addresses'; readonly addresses: readonly Address[] }
  /** Takes an address out of the pool; replies false if there is none with that id, or a VM holds it. */
  | { readonly kind: 'remove-address'; readonly id: number; readonly replyTo: Ref<boolean> }
  /** Takes no more requests; replies when those in hand have ended, or were refused at the time limit; 0: at once. */
  | { readonly kind: 'drain'; readonly limitMs: number; readonly replyTo: Ref<true> }
  /** The host hands on all it can and takes nothing from others, or no longer. What it works on goes on. */
  | { readonly kind: 'cordon'; readonly on: boolean; readonly replyTo: Ref<true> }
  | NeighbourMessage
  | OwnMessage;

/** What the router tells itself. */
export type OwnMessage =
  | { readonly kind: 'tick' }
  | { readonly kind: 'step' }
  | { readonly kind: 'drain-limit' }
  /** R10: a command should have come back from its guest. */
  | { readonly kind: 'relay-due'; readonly number: number }
  | { readonly kind: 'written'; readonly vm: VmId; readonly write: Write }
  | { readonly kind: 'write-failed'; readonly vm: VmId; readonly write: Write; readonly error: unknown }
  | { readonly kind: 'write-again'; readonly vm: VmId }
  /** A link that was opened ahead is in use from now on. */
  | { readonly kind: 'link-opened'; readonly vm: VmId }
  /** A link that refused a message may have room again. */
  | { readonly kind: 'link-room'; readonly vm: VmId }
  | { readonly kind: 'link-exited'; readonly vm: VmId; readonly exit: Exit }
  | { readonly kind: 'link-reopen'; readonly vm: VmId }
  | { readonly kind: 'link-reopened'; readonly vm: VmId }
  | { readonly kind: 'link-reopen-failed'; readonly vm: VmId };
