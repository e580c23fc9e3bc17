import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, ShoalError } from '../../errors.ts';
import type { VmId } from '../../fleet/mod.ts';
import { makeFolder } from '../../process/mod.ts';
import { rootDirectory } from './root-directory.ts';

/** `sun_path` has 108 bytes, the closing zero included. Node and others truncate a longer path silently. */
const UNIX_PATH_BYTES_MAX = 107;
const PRIVATE = 0o700;

/** The files of one VM while it lives. */
export interface RunPaths {
  readonly directory: string;
  readonly manifest: string;
  readonly pid: string;
  readonly qmp: string;
  /** A socket: the guest's input. */
  readonly consoleIn: string;
  /** A file: the guest's output. */
  readonly consoleOut: string;
  readonly stderr: string;
  /** A socket: the link of a VM without a network. */
  readonly link: string;
  /** The seccomp filter of a QEMU that has none of its own. */
  readonly filter: string;
  /** What its wrapper tells of it. */
  readonly info: string;
}

/** @throws PATH_TOO_LONG */
export function runPaths(fleetDirectory: string, vm: VmId): RunPaths {
  const directory = join(fleetDirectory, String(vm));
  const paths = {
    directory,
    manifest: join(directory, 'manifest.json'),
    pid: join(directory, 'pid'),
    qmp: join(directory, 'qmp.sock'),
    consoleIn: join(directory, 'console.sock'),
    consoleOut: join(directory, 'console.log'),
    stderr: join(directory, 'stderr.log'),
    link: join(directory, 'link.sock'),
    filter: join(directory, 'filter.bpf'),
    info: join(directory, 'info.json'),
  };
  checkUnixPath(paths.qmp);
  checkUnixPath(paths.consoleIn);
  checkUnixPath(paths.link);
  return paths;
}

/** @throws PATH_TOO_LONG */
function checkUnixPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= UNIX_PATH_BYTES_MAX) return;
  throw new ShoalError(
    'PATH_TOO_LONG',
    `The socket path ${path} has ${bytes} bytes, ${UNIX_PATH_BYTES_MAX} are possible. ` +
      'Set SHOAL_RUNTIME_DIR to a shorter directory, such as /run/shoal',
    { details: { path, bytes, bytesMax: UNIX_PATH_BYTES_MAX } },
  );
}

/**
 * The parent of all run directories: $SHOAL_RUNTIME_DIR, or that of root (`root-directory.ts`), or $XDG_RUNTIME_DIR/shoal.
 * @throws RIGHTS_MISSING if this user has none of them; CONFIG_VALUE for a relative path
 */
export function runtimeRoot(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  const { SHOAL_RUNTIME_DIR, XDG_RUNTIME_DIR } = env;
  if (SHOAL_RUNTIME_DIR) return absolute(SHOAL_RUNTIME_DIR);
  if (uid === 0) return rootDirectory();
  // XDG: a relative path is ignored.
  if (XDG_RUNTIME_DIR?.startsWith('/') === true) return join(XDG_RUNTIME_DIR, 'shoal');
  throw new ShoalError(
    'RIGHTS_MISSING',
    'There is no place for run directories: this user is not root and XDG_RUNTIME_DIR is not set. ' +
      'Set SHOAL_RUNTIME_DIR to a short directory of your own for all commands, such as `export SHOAL_RUNTIME_DIR=/tmp/shoal-$(id -un)`',
  );
}

/** Each program that uses it has a current folder of its own. */
function absolute(path: string): string {
  if (path.startsWith('/')) return path;
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected SHOAL_RUNTIME_DIR to be an absolute path, got ${JSON.stringify(path)}`,
    {
      details: { parameter: 'SHOAL_RUNTIME_DIR', value: path },
    },
  );
}

/**
 * Makes a directory that only its owner can enter, or makes sure that an existing one is such.
 * @throws RIGHTS_MISSING
 */
export function ensurePrivateDirectory(path: string): void {
  try {
    makeFolder(path);
    const found = lstatSync(path);
    const uid = process.getuid?.();
    if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) {
      throw new ShoalError(
        'RIGHTS_MISSING',
        `${path} must be a directory of user ${uid}, but belongs to ${found.uid}`,
        {
          details: { path, owner: found.uid },
        },
      );
    }
    // A directory that the user names may be open to others; its sockets and manifests must not be.
    if ((found.mode & 0o077) !== 0) chmodSync(path, PRIVATE);
  } catch (error) {
    throw missingRight(path, error);
  }
}

/** Makes the run directory of a VM. @throws MANIFEST_INVALID if it exists already; RIGHTS_MISSING */
export function makeRunDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      throw new ShoalError(
        'MANIFEST_INVALID',
        `The run directory ${path} exists already: another VM has or had that id`,
        {
          details: { path },
        },
      );
    }
    throw missingRight(path, error);
  }
}

export async function removeRunDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

function missingRight(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return error;
  return new ShoalError(
    'RIGHTS_MISSING',
    `The run directory ${path} cannot be made: ${code}. Set SHOAL_RUNTIME_DIR to another`,
    {
      cause: error,
      details: { path },
    },
  );
}
