import type { Ref } from '../../actors/mod.ts';
import type { ErrorEnvelope } from '../../errors.ts';
import type { DeployState } from './deploy.ts';
import type { Params } from './params.ts';
import type { VmId } from './vm-id.ts';

/** What an administrator may ask for. The reply says that it is under way; `vm-gone` and the other events say how it goes on. */
export type CommandMessage =
  /** No new requests, those in flight finish, then it ends. R1 makes the minimum good. */
  | { readonly kind: 'drain-vm'; readonly vm: VmId; readonly replyTo: Ref<CommandReply> }
  /** The same for all VMs at once, whatever their state: those that start end. Spares stay, as with `scale`. */
  | { readonly kind: 'drain-vms'; readonly replyTo: Ref<CommandReply> }
  /** Ends now; what was on it is tried once more elsewhere if it may be (R11). */
  | { readonly kind: 'remove-vm'; readonly vm: VmId; readonly replyTo: Ref<CommandReply> }
  /** Replaces VMs one after the other by new ones, each of which is ready before the old one goes. */
  | { readonly kind: 'restart-vms'; readonly vms: 'all' | readonly VmId[]; readonly replyTo: Ref<CommandReply> }
  /**
   * Sets `min_vm_count`, and ends what runs or starts beyond it. Load brings VMs back by R3. The change holds for this process; who
   * keeps `system_params` writes `params` of the reply there.
   */
  | { readonly kind: 'scale'; readonly vmCount: number; readonly replyTo: Ref<CommandReply> }
  /** Replaces VMs by those of another image; durable already. The same one twice changes nothing. */
  | { readonly kind: 'deploy'; readonly deploy: DeployState; readonly replyTo: Ref<CommandReply> }
  /** The deploy that runs is given up: its VMs are replaced by those of the image before. */
  | { readonly kind: 'roll-back'; readonly why: string; readonly replyTo: Ref<CommandReply> };

export type CommandReply =
  | {
      readonly ok: true;
      /** The VMs that it concerns. */
      readonly vms: readonly VmId[];
      readonly params: Params;
    }
  /** VM_UNKNOWN, VM_STATE, DEPLOY_RUNNING, DEPLOY_NONE, or CONFIG_VALUE for a figure that cannot be. */
  | { readonly ok: false; readonly error: ErrorEnvelope };
