import { statSync } from 'node:fs';
import { createConnection, type OnReadOpts, type Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { codeOf, ShoalError } from '../../errors.ts';
import { saysGone } from '../../process/mod.ts';

/**
 * QEMU makes its sockets some 20 ms after its start, on a busy host much later: an attempt follows after this share
 * of the time so far.
 */
const RETRY_SHARE = 1 / 20;
const RETRY_MS_MIN = 1;

/**
 * Connects to a UNIX socket that another process may be about to make.
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
  for (;;) {
    try {
      // A look costs a tenth of a vain attempt.
      if (statSync(path, { throwIfNoEntry: false }) === undefined)
        throw Object.assign(new Error('it does not exist'), { code: 'ENOENT' });
      return await connectOnce(path, onread);
    } catch (cause) {
      const code = codeOf(cause);
      // EAGAIN: its backlog of one is taken by a client that is being served.
      const mayComeUp = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EAGAIN';
      const elapsedMs = clock.monotonic() - startMs;
      if (mayComeUp && elapsedMs < timeoutMs && goOn())
        await delay(Math.max(RETRY_MS_MIN, elapsedMs * RETRY_SHARE), clock);
      else
        throw new ShoalError('QMP_TIMEOUT', `Nobody answers on ${path} (${code ?? String(cause)})`, {
          cause,
          details: { path },
        });
    }
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

function delay(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(ms, resolve);
  });
}
