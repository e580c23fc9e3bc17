import { type FSWatcher, statSync, watch } from 'node:fs';
import { createConnection, type OnReadOpts, Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../actors/mod.ts';
import { codeOf, ShoalError } from '../../errors.ts';
import { saysGone } from '../../process/mod.ts';

/** An attempt follows after this share of the time so far. */
const RETRY_SHARE = 1 / 20;
const RETRY_MS_MIN = 1;
/** Where the folder is watched, and tells of the socket itself. */
const WATCHED_RETRY_SHARE = 1 / 4;
const WATCHED_RETRY_MS_MIN = 10;

/**
 * Connects to a UNIX socket that another process may be about to make: QEMU does so some 5 ms after its start, on a busy
 * host much later.
 * @param goOn asked before each attempt; false ends them, because the other process is gone
 * @param onread takes the input in place of `data` events
 * @throws QMP_TIMEOUT
 */
export async function connectUnix(
  path: string,
  timeoutMs: number,
  clock: Clock,
  goOn: () => boolean,
  onread?: OnReadOpts,
): Promise<Socket> {
  const startMs = clock.monotonic();
  let file: FileWatch | undefined;
  try {
    for (;;) {
      const tried = await tryToConnect(path, onread);
      if (tried instanceof Socket) return tried;
      const { code, cause } = tried;
      // EAGAIN: its backlog of one is taken by a client that is being served.
      const mayComeUp = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EAGAIN';
      const elapsedMs = clock.monotonic() - startMs;
      if (!mayComeUp || elapsedMs >= timeoutMs || !goOn()) {
        throw new ShoalError('QMP_TIMEOUT', `Nobody answers on ${path} (${code ?? String(cause)})`, {
          cause,
          details: { path },
        });
      }
      if (code !== 'ENOENT') await untilRetry(elapsedMs, clock);
      else if (file === undefined) file = new FileWatch(path);
      else await file.appears(elapsedMs, clock);
    }
  } finally {
    file?.close();
  }
}

type Tried = Socket | { readonly code: string | undefined; readonly cause: unknown };

async function tryToConnect(path: string, onread: OnReadOpts | undefined): Promise<Tried> {
  try {
    // A look costs a tenth of a vain attempt.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return { code: 'ENOENT', cause: undefined };
    return await connectOnce(path, onread);
  } catch (cause) {
    return { code: codeOf(cause), cause };
  }
}

/** Tells of a file as it appears: to look for the sockets of thirty QEMUs that start at once takes a tenth of a core. */
class FileWatch {
  readonly #watcher: FSWatcher | undefined;
  #onSeen = (): void => undefined;

  constructor(path: string) {
    const name = basename(path);
    try {
      this.#watcher = watch(dirname(path), (_event, changed) => {
        if (changed === name) this.#onSeen();
      });
      this.#watcher.on('error', () => undefined);
    } catch {
      // The user's watches are used up, or the folder is gone: looking has to do.
    }
  }

  /** Resolves when the file may be there. The next look is due then. @param elapsedMs since the first look */
  appears(elapsedMs: number, clock: Clock): Promise<void> {
    if (this.#watcher === undefined) return untilRetry(elapsedMs, clock);
    return new Promise((resolve) => {
      const cancel = clock.timer(Math.max(WATCHED_RETRY_MS_MIN, elapsedMs * WATCHED_RETRY_SHARE), resolve);
      this.#onSeen = () => {
        cancel();
        resolve();
      };
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}

/**
 * Whether a process listens on a UNIX socket. The kernel refuses connections to the socket of a process that is gone.
 * @throws if that cannot be told
 */
export async function isListening(path: string): Promise<boolean> {
  try {
    (await connectOnce(path, undefined)).destroy();
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ECONNREFUSED' || saysGone(error)) return false;
    if (code === 'EAGAIN') return true;
    throw error;
  }
}

function connectOnce(path: string, onread: OnReadOpts | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(onread === undefined ? { path } : { path, onread });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // A failing socket closes, which is noticed; without a listener the error itself would end the process.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function untilRetry(elapsedMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(Math.max(RETRY_MS_MIN, elapsedMs * RETRY_SHARE), resolve);
  });
}
