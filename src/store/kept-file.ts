import { messageOf, ShoalError } from '../errors.ts';
import { DurableFile } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';

/** A small file beside the tables, which is written as a whole. */
export interface KeptFile {
  /** What it had when it was opened; undefined if it was never written. */
  readonly bytes: Uint8Array | undefined;
  /** Durable once it resolves. @throws STORE_WRITE_FAILED; the file is as before then */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Opens it for its one writer.
 * @param what stands in it, for errors
 * @throws STORE_UNREADABLE
 */
export async function openKeptFile(path: string, what: string, files: FileSystem): Promise<KeptFile> {
  const file = new DurableFile(path, files);
  let bytes: Uint8Array | undefined;
  try {
    bytes = await file.read();
    await file.removeLeftOvers();
  } catch (cause) {
    throw failed('STORE_UNREADABLE', `${path} cannot be read`, cause);
  }
  return {
    bytes,
    write: async (content) => {
      try {
        await file.replace(content);
      } catch (cause) {
        throw failed('STORE_WRITE_FAILED', `${what} could not be written to ${path}`, cause);
      }
    },
  };
}

function failed(code: 'STORE_UNREADABLE' | 'STORE_WRITE_FAILED', what: string, cause: unknown): ShoalError {
  return new ShoalError(code, `${what}: ${messageOf(cause)}`, { cause });
}
