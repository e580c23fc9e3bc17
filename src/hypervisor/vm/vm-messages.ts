import type { Ref } from '../../actors/mod.ts';
import type { VmEndReason, VmId } from '../../fleet/mod.ts';
import type { LogLine } from '../console/guest-log.ts';

/** What the controller tells the actor of a VM. */
export type VmMessage =
  | { readonly kind: 'start' }
  | { readonly kind: 'boot-spare' }
  /** Tells of the VM as of one that was found; once it is prepared, if it is not yet. */
  | { readonly kind: 'announce' }
  /**
   * @param graceMs how long the guest may take to finish its work after it was asked; default: the stop limit of the
   * console
   */
  | { readonly kind: 'stop'; readonly reason: VmEndReason; readonly why: string; readonly graceMs?: number }
  /** A relayed command is on its way through the guest: its console is read often for a moment. */
  | { readonly kind: 'listen' }
  | { readonly kind: 'logs'; readonly linesMax: number; readonly replyTo: Ref<readonly LogLine[]> }
  /** New lines are told to `to` in batches until it takes no more, `unfollow` comes, or the VM is gone. */
  | { readonly kind: 'follow'; readonly to: Ref<LogBatch> }
  | { readonly kind: 'unfollow'; readonly to: Ref<LogBatch> };

export interface LogBatch {
  readonly vm: VmId;
  readonly lines: readonly LogLine[];
  /** True in the last batch: the VM is gone. */
  readonly ended: boolean;
}

/** A command that a guest passed on from the server (rule R10). */
export interface RelayedLine {
  readonly vm: VmId;
  readonly line: string;
}
