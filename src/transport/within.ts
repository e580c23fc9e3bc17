import type { Clock } from '../actors/mod.ts';

/** The result of a wait that timed out. */
export const TIMED_OUT = Symbol('timed out');

/** Waits for a promise with a timeout. After the timeout, a rejection of the promise counts as handled. */
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
