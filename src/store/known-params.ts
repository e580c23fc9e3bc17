import type { FleetParams } from '../fleet/mod.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { fleetParamsFromBytes, fleetParamsToBytes } from './fleet-params-text.ts';
import { openKeptFile } from './kept-file.ts';

/** What this host knows of the parameters of the whole fleet: a lost bucket is made anew of it. */
export interface KnownParams {
  readonly last: FleetParams | undefined;
  /** Durable once it resolves. @throws STORE_WRITE_FAILED; `last` is as before then */
  save(params: FleetParams): Promise<void>;
}

/** For simulations and tests. */
export function memoryKnownParams(first?: FleetParams): KnownParams {
  let last = first;
  return {
    get last() {
      return last;
    },
    save: async (params) => {
      last = params;
    },
  };
}

/**
 * Keeps them in a file beside the tables. A file that cannot be used counts as none: the bucket, the other hosts and the tables have the
 * values.
 * @param onDamaged is told of it
 * @throws STORE_UNREADABLE
 */
export async function openKnownParams(
  path: string,
  onDamaged: (error: unknown) => void,
  files: FileSystem = nodeFileSystem,
): Promise<KnownParams> {
  const file = await openKeptFile(path, 'The parameters of the fleet', files);
  let last: FleetParams | undefined;
  try {
    last = file.bytes === undefined ? undefined : fleetParamsFromBytes(file.bytes);
  } catch (error) {
    onDamaged(error);
  }
  return {
    get last() {
      return last;
    },
    save: async (params) => {
      await file.write(fleetParamsToBytes(params));
      last = params;
    },
  };
}
