import { checkMemory, memoryMibFor } from '../app/mod.ts';
import { makeParams, type Params } from '../fleet/mod.ts';
import { BUILT_IN_PROFILE } from '../hypervisor/mod.ts';
import { IMAGE_PATH } from './images.ts';
import { vmBytesOf } from './machine-room.ts';

/** Simulated images need what the built-in one does. */
const IMAGE = { path: IMAGE_PATH, bytes: 0, companion: undefined, profile: BUILT_IN_PROFILE };

/** @throws CONFIG_VALUE for parameters that a fleet would refuse */
export function checkedParams(values: Readonly<Record<string, number | string>>): Params {
  const params = makeParams(values);
  checkMemory(params, IMAGE);
  return params;
}

/** What a VM takes of its host with these parameters, QEMU's own included. */
export function vmBytesWith(params: Params): number {
  return vmBytesOf({ memoryMib: memoryMibFor(params, BUILT_IN_PROFILE) });
}
