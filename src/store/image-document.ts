import { ShoalError } from '../errors.ts';
import type { DeployPhase, DeployState } from '../fleet/mod.ts';
import { isRecord } from '../is-record.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { openKeptFile } from './kept-file.ts';

/** A deploy before its first VM, and the end of one whose image was found unfit. */
export type StoredPhase = DeployPhase | 'checking' | 'refused';

/** A deploy that runs, or the last one. */
export interface StoredDeploy extends Omit<DeployState, 'phase'> {
  readonly phase: StoredPhase;
  /** When it ended, milliseconds since the epoch; null while it runs. */
  readonly ended_ms: number | null;
}

/** Which image a host has deployed. It is there only once something was deployed. */
export interface ImageDocument {
  /** SHA-256 of the image that VMs are started from while no deploy runs. */
  readonly image: string;
  /** SHA-256 of the one before; null if that is not known. */
  readonly before: string | null;
  readonly deploy: StoredDeploy | null;
}

/** The images that it names, which may be needed. */
export function imagesIn({ image, before, deploy }: ImageDocument): readonly string[] {
  return [image, before, deploy?.image, deploy?.before].filter((digest) => typeof digest === 'string');
}

/** Keeps the document. */
export interface ImageStore {
  readonly last: ImageDocument | undefined;
  /** Durable once it resolves. @throws STORE_WRITE_FAILED; `last` is as before then */
  save(document: ImageDocument): Promise<void>;
}

/** More is not read. */
const BYTES_MAX = 16 * 1024;
const FORMAT = 'shoal-image';
const VERSION = 1;
const DIGEST = /^[0-9a-f]{64}$/;
const PHASES: ReadonlySet<unknown> = new Set<StoredPhase>([
  'checking',
  'refused',
  'canary',
  'rolling',
  'rolling-back',
  'deployed',
  'rolled-back',
]);

/**
 * Keeps the document in a file beside the tables.
 * @throws STORE_UNREADABLE; STORE_DAMAGED: nobody can say then which image the VMs are to be of
 */
export async function openImageStore(path: string, files: FileSystem = nodeFileSystem): Promise<ImageStore> {
  const file = await openKeptFile(path, 'Which image is deployed', files);
  let last = file.bytes === undefined ? undefined : parse(file.bytes, path);
  return {
    get last() {
      return last;
    },
    save: async (document) => {
      const text = JSON.stringify({ format: FORMAT, version: VERSION, ...document }, null, 2);
      await file.write(new TextEncoder().encode(`${text}\n`));
      last = document;
    },
  };
}

/** @throws STORE_DAMAGED */
function parse(bytes: Uint8Array, path: string): ImageDocument {
  const value = bytes.length > BYTES_MAX ? undefined : parsed(bytes);
  if (isRecord(value) && value['format'] === FORMAT && value['version'] === VERSION) {
    const { image, before, deploy } = value;
    const isBefore = before === null || isDigest(before);
    if (isDigest(image) && isBefore && (deploy === null || isDeploy(deploy))) return { image, before, deploy };
  }
  throw new ShoalError(
    'STORE_DAMAGED',
    `${path} does not say which image is deployed; remove it, and the next start takes the image of --image`,
    { details: { path } },
  );
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value);
}

function isDeploy(value: unknown): value is StoredDeploy {
  if (!isRecord(value)) return false;
  const { id, image, before, canary, canaryMs, phase, why, ended_ms } = value;
  if (!isDigest(image) || !isDigest(before) || !PHASES.has(phase)) return false;
  if (![id, canary, canaryMs].every(isCount)) return false;
  return (why === null || typeof why === 'string') && (ended_ms === null || isCount(ended_ms));
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
