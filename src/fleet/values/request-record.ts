import type { Considered } from './considered.ts';
import type { ReasonWord, RequestEndReason } from './end-reason.ts';
import type { Figures, Rule } from './rule.ts';
import type { VmId } from './vm-id.ts';

/** One step of a request, as `shoal explain request` shows it. */
export interface RequestRecord {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** routed: it came, or left the line, and was put somewhere. ended: its client was told. */
  readonly kind: 'routed' | 'ended';
  readonly requestId: string;
  readonly vm?: VmId;
  readonly rule?: Rule;
  readonly figures?: Figures;
  /** Of its end: why. */
  readonly reason?: RequestEndReason;
  readonly considered?: readonly Considered[];
  /** For people. */
  readonly text: string;
}

/** Where a request is now. */
export interface RequestState {
  readonly requestId: string;
  /** waiting: in the router's line. on-vm: dispatched. ended: its reply is kept for repeats (R11). */
  readonly state: 'waiting' | 'on-vm' | 'ended';
  readonly vm?: VmId;
  readonly rule?: Rule;
  readonly figures?: Figures;
  /** Of one that waits: what for. Of one that has ended: why. */
  readonly reason?: ReasonWord;
  readonly considered?: readonly Considered[];
  readonly text: string;
}
