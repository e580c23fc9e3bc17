import type { Clock } from '../actors/mod.ts';

/** What a wait that ended by its time limit resolves with. */
export const TIMED_OUT = Symbol('timed out');

/** Waits for a promise, but not for ever. The promise goes on; a later rejection of it is taken as seen. */
export function within<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(timeoutMs, () => resolve(TIMED_OUT));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
