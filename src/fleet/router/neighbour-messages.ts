import type { Ref } from '../../actors/mod.ts';
import type { Knowledge, Repeat } from '../state/reply-cache.ts';
import type { HandOnFor, HostFigures } from '../values/neighbour.ts';
import type { Outcome } from '../values/request.ts';

/** Which router a message comes from. A router that is restarted has another session, and nothing of the one before. */
export interface From {
  readonly host: string;
  readonly session: string;
}

/** What a router says of itself at a steady pace, and whenever its figures change. */
export interface Beat {
  readonly figures: HostFigures;
  /** When it was sent, by the clock of who sends it: the other gives it back, and thereby the right to answer clients (`LEASE_MS`). */
  readonly stampMs: number;
  /** The last stamp that it had from the other; null: none. */
  readonly heardMs: number | null;
  /** The last request of the other's that it has seen. */
  readonly seen: number;
  /** The last end of the other's that it has taken. */
  readonly taken: number;
  /** The other is to answer at once. */
  readonly isAsking: boolean;
}

/** A request as it travels. */
export interface HandedRequest {
  readonly requestId: string;
  readonly isIdGenerated: boolean;
  readonly op: string;
  readonly payload: Uint8Array;
  readonly contentType?: string;
  /** Milliseconds to its deadline: clocks of hosts differ. */
  readonly leftMs: number;
  readonly retry: boolean;
}

/** What has become of a request that was handed on. */
export type HandedEnd = From & {
  readonly kind: 'handed-end';
  /** The number that it was handed on under. */
  readonly id: number;
  /** The session of the router that handed it on: its successor has another, and numbers of its own. */
  readonly to: string;
  /** Ends are numbered, and told again after the link was lost. */
  readonly seq: number;
} & (
    | { readonly how: 'ended'; readonly outcome: Outcome }
    /** There was no room: nothing was done. */
    | { readonly how: 'refused' }
    /** The router there ends, or the VM was lost with it: `outcome`. `wasSent`: a VM may have worked on it. */
    | { readonly how: 'given-back'; readonly wasSent: boolean; readonly outcome?: Outcome }
  );

/** What routers of different hosts tell each other, and what a router is told of other hosts. */
export type NeighbourMessage =
  /** Messages reach the router of that host, and its own reach this one. */
  | { readonly kind: 'neighbour-up'; readonly host: string; readonly ref: Ref<NeighbourMessage> }
  | {
      readonly kind: 'neighbour-lost';
      readonly host: string;
      readonly why: string;
      /** It has given this host up, and so it lives, and will be back in a moment. */
      readonly isThere?: boolean;
    }
  /** The first that routers tell each other. `has`: which requests of the other's it still has. */
  | (From & {
      readonly kind: 'neighbour-hello';
      readonly router: Ref<NeighbourMessage>;
      readonly isAnswer: boolean;
      readonly to: string | null;
      readonly has: readonly number[];
      readonly beat: Beat;
    })
  | (From & { readonly kind: 'neighbour-figures'; readonly beat: Beat })
  /** `what`: `known` is a repeat, to be answered only if its id is known. `replySubject`: null if the reply is to come back. */
  | (From & {
      readonly kind: 'hand-on';
      readonly id: number;
      readonly what: HandOnFor | 'known';
      readonly request: HandedRequest;
      readonly replySubject: string | null;
      readonly heardMs: number | null;
      /** VMs that may have worked on it. */
      readonly tries: number;
    })
  | HandedEnd
  /** Nobody waits for it any more. */
  | (From & { readonly kind: 'handed-cancel'; readonly id: number })
  /** Does the other know the id of this repeat? */
  | (From & { readonly kind: 'find'; readonly id: number; readonly request: Repeat })
  | (From & { readonly kind: 'found'; readonly id: number; readonly knows: Knowledge })
  /** What this host tells itself: figures have changed. */
  | { readonly kind: 'tell-figures' };

/** Makes a ref whose messages come to the router as others. */
export type Adapt = <E>(toMessage: (event: E) => NeighbourMessage) => Ref<E>;

/** How a router gets at the others, and at the clients of theirs. */
export interface NeighbourPort {
  /** Others reach the router from now on; it is told who is up, who comes and who goes. @returns how to end it */
  join(router: Ref<NeighbourMessage>, adapt: Adapt): () => void;
  /** Publishes a reply to the client. @returns its number, above all before; undefined: nothing was sent, nor will be */
  publish(replySubject: string, outcome: Outcome): number | undefined;
  /** The last reply that was published, by this router or one before it. */
  readonly published: number;
  /** The last reply that the server has shown to have. */
  readonly taken: number;
  /** Has the server show which replies it has. */
  confirm(): void;
  /** No reply that the server has not taken ever gets there, nor does anything that is on its way to these hosts. */
  takeBack(hosts: readonly string[]): void;
  /** Calls `listener` whenever the connection is lost, before it is made anew: replies may be lost with it. @returns how to end it */
  onLost(listener: () => void): () => void;
  /** A token for the guest, by which nothing is ever published: the host that took the request in answers for it. */
  seal(request: Pick<HandedRequest, 'requestId' | 'isIdGenerated' | 'op' | 'payload' | 'contentType'>): Uint8Array;
}
