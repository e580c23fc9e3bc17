import type { ErrorEnvelope } from '../../errors.ts';
import type { HostEvent, VmEnd, VmId } from '../../fleet/mod.ts';
import type { Machine } from '../port.ts';
import { memoryOf } from '../profile/shipped.ts';
import type { VmPhase } from './lifecycle-state.ts';

export type HostVmEvent = Extract<HostEvent, { readonly vm: VmId }>;

/** What the fleet is told of a VM whose machine is there. */
export function prepared({ process, manifest: { spec } }: Machine): HostVmEvent {
  const { vm, imageDigest } = spec;
  return { kind: 'vm-prepared', vm, pid: process.pid, imageDigest, memory: memoryOf(spec) };
}

/** What it is told of one that an earlier actor has told of, or that was found. */
export function adopted(
  { process, manifest: { spec, preparedMs } }: Machine,
  state: Exclude<VmPhase['name'], 'preparing' | 'gone'>,
): HostVmEvent {
  const { vm, address, statusIntervalMs, imageDigest } = spec;
  // To the fleet a spare is prepared, however far it is.
  const isSpare = state === 'prepared' || state === 'warming' || state === 'paused';
  return {
    kind: 'vm-adopted',
    vm,
    address,
    pid: process.pid,
    startedMs: preparedMs,
    state: isSpare ? 'prepared' : state,
    ...(state === 'paused' ? { isPaused: true as const } : {}),
    statusIntervalMs,
    imageDigest,
    memory: memoryOf(spec),
  };
}

export function gone(vm: VmId, { end, error }: { end: VmEnd; error: ErrorEnvelope | undefined }): HostVmEvent {
  return { kind: 'vm-gone', vm, end, ...(error === undefined ? {} : { error }) };
}
