import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { Machine } from './port.ts';

/** Far longer than the kernel takes to end a process that is not stuck in it. */
const LIMIT_MS = 15_000;
/** A signal is lost if it could not be seen whether the process is still the same. */
const AGAIN_MS = 250;

/**
 * Ends a machine that was only tried, and removes what is left of it.
 * @param gone resolves with its exit
 * @throws SYSTEM_REFUSED if its process does not end; what is left of it is left then
 */
export async function endMachine(machine: Machine, gone: Promise<unknown>, clock: Clock): Promise<void> {
  const endMs = clock.monotonic() + LIMIT_MS;
  do {
    machine.signal('SIGKILL');
    if (await isOverWithin(gone, AGAIN_MS, clock)) return machine.remove();
  } while (clock.monotonic() < endMs);
  await machine.release();
  const { pid } = machine.process;
  throw new ShoalError('SYSTEM_REFUSED', `Process ${pid}, a VM that was tried, does not end by SIGKILL`, {
    details: { pid },
  });
}

export function isOverWithin(gone: Promise<unknown>, limitMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.timer(limitMs, () => resolve(false));
    void gone.then(() => {
      cancel();
      resolve(true);
    });
  });
}
