import type { ActorSystem, Ref } from '../../actors/mod.ts';
import { fromEnvelope, ShoalError } from '../../errors.ts';
import type { CommandReply, FleetSnapshot, RouterMessage } from '../../fleet/mod.ts';
import type { ControllerMessage, FoundProfile, VmParameters, VmShards } from '../../hypervisor/mod.ts';
import type { Store } from '../../store/mod.ts';
import { askSnapshot } from '../ask-router.ts';
import type { DataDir } from '../data-dir.ts';
import type { Deploys } from '../deploy/deploys.ts';
import type { EventLog } from '../event-log.ts';
import type { Settings } from '../settings.ts';
import type { FleetOptions } from '../up-options.ts';

/** The ports and refs of the administration verbs. */
export interface AdminDeps {
  readonly system: ActorSystem;
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
  readonly store: Store;
  readonly settings: Settings;
  readonly eventLog: EventLog;
  readonly logFolder: string;
  readonly options: FleetOptions;
  readonly parameters: VmParameters;
  /** Undefined if VM actors run on the main thread. */
  readonly shards: VmShards['shards'] | undefined;
  readonly data: DataDir;
  readonly deploys: Deploys;
  /** As `imagesInUse` of this fleet. */
  readonly inUse: () => Promise<readonly string[] | undefined>;
  /** What the copy of an image has beside it; undefined if the copy is damaged. */
  readonly profileOf: (digest: string) => Promise<FoundProfile | undefined>;
  /** The reason for the accelerator. */
  readonly why: string;
  readonly onDown: () => void;
  /** From now on a stop leaves the VMs running for the next Shoal. */
  readonly keepVms: () => void;
}

export const ASK_TIMEOUT_MS = 4_000;

export function snapshotOf(deps: AdminDeps): Promise<FleetSnapshot> {
  return askSnapshot(deps, ASK_TIMEOUT_MS);
}

/** @returns the VMs that it concerns @throws VM_UNKNOWN, CONFIG_VALUE */
export async function command(
  { system, router }: AdminDeps,
  toMessage: (replyTo: Ref<CommandReply>) => RouterMessage,
): Promise<{ vms: readonly number[] }> {
  const reply = await system.ask<RouterMessage, CommandReply>(router, toMessage, ASK_TIMEOUT_MS);
  if (reply.ok) return { vms: reply.vms };
  throw fromEnvelope(reply.error);
}

export function unknownVm(vm: number): ShoalError {
  return new ShoalError('VM_UNKNOWN', `There is no VM ${vm}; \`shoal ps\` lists those that there are`, {
    details: { vm },
  });
}
