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
  /** Another host that it went to, or that ended it. */
  readonly host?: string;
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
  /** waiting: in the router's line. asking: other hosts are asked about it. on-vm: dispatched. on-host: handed on. ended: its reply is kept for repeats (R11). */
  readonly state: 'waiting' | 'asking' | 'on-vm' | 'on-host' | 'ended';
  readonly vm?: VmId;
  readonly host?: string;
  readonly rule?: Rule;
  readonly figures?: Figures;
  /** Of one that waits: what for. Of one that has ended: why. */
  readonly reason?: ReasonWord;
  readonly considered?: readonly Considered[];
  readonly text: string;
}
