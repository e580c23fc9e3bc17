import { ShoalError } from '../errors.ts';
import type { FleetParams } from '../fleet/mod.ts';
import { DurableFile } from './durable-file.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { fleetParamsFromBytes, fleetParamsToBytes } from './fleet-params-text.ts';

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
  const file = new DurableFile(path, files);
  let bytes: Uint8Array | undefined;
  try {
    bytes = await file.read();
    await file.removeLeftOvers();
  } catch (cause) {
    throw failed('STORE_UNREADABLE', `${path} cannot be read`, cause);
  }
  let last: FleetParams | undefined;
  try {
    last = bytes === undefined ? undefined : fleetParamsFromBytes(bytes);
  } catch (error) {
    onDamaged(error);
  }
  return {
    get last() {
      return last;
    },
    save: async (params) => {
      try {
        await file.replace(fleetParamsToBytes(params));
      } catch (cause) {
        throw failed('STORE_WRITE_FAILED', `The parameters of the fleet could not be written to ${path}`, cause);
      }
      last = params;
    },
  };
}

function failed(code: 'STORE_UNREADABLE' | 'STORE_WRITE_FAILED', what: string, cause: unknown): ShoalError {
  return new ShoalError(code, `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
