import type { Ref } from '../../actors/mod.ts';
import type { FailureReason } from './end-reason.ts';
import type { RequestStatus } from './request-status.ts';
import type { VmId } from './vm-id.ts';

/** A request on its way to a VM. */
export interface Request {
  /** The client's own id, or one made for it. Not unique: a repeat has the id of the first. */
  readonly requestId: string;
  /** The id was made for it and nobody else knows it: no repeat can come, so nothing is kept for one. */
  readonly isIdGenerated?: boolean;
  /** Another host has taken it in, and has handed it on: it goes no further. */
  readonly isHanded?: boolean;
  /** The client says that it sent it before: another host may know it. */
  readonly isRepeat?: boolean;
  /** Where its client takes the reply, if that may come from another host. */
  readonly replySubject?: string;
  /** Empty: the service's default operation. */
  readonly op: string;
  /** UTF-8 text, which the guest checks; or any bytes, if its image takes them. */
  readonly payload: Uint8Array;
  /** What the bytes are, if the client says so. A guest that takes text alone is not told. */
  readonly contentType?: string;
  /** On the monotonic clock, milliseconds. */
  readonly deadlineMs: number;
  /** Whether it may be tried once more on another VM. */
  readonly retry: boolean;
  /** Echoed by the guest: reply subject, request id, keyed hash. */
  readonly token: Uint8Array;
  /** Told exactly once. */
  readonly replyTo: Ref<Outcome>;
}

/** How a request ended. */
export type Outcome =
  | {
      readonly ok: true;
      readonly payload: Uint8Array;
      /** What the bytes are; absent for text. */
      readonly contentType?: string;
      readonly vm: VmId;
      readonly host: string;
      /** The host that worked has told the client already, and has the payload: it is not told again. */
      readonly isSent?: true;
    }
  | {
      readonly ok: false;
      readonly status: RequestStatus;
      readonly reason: FailureReason;
      /** For people: the reason with its figures. */
      readonly message: string;
      /** The VM that it was on, if it was on one. */
      readonly vm?: VmId;
      readonly host?: string;
      readonly isSent?: true;
    };
