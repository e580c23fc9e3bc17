import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { GuestClient } from './link/guest-client.ts';
import type { Hypervisor, Machine, MachineExit, MachineSpec } from './port.ts';

/** How much of what the guest prints is looked at. */
const HEARD_CHARS_MAX = 64 * 1024;

/**
 * Boots a machine that belongs to no fleet, waits until its guest says that it is ready and answers a ping on its link, and ends it.
 * @throws VM_BOOT_TIMEOUT, VM_GONE, LINK_LOST, and what `prepare` throws
 */
export async function bootAlone(
  hypervisor: Hypervisor,
  spec: MachineSpec,
  bootTimeoutMs: number,
  clock: Clock,
): Promise<void> {
  const machine = await hypervisor.prepare(spec);
  const gone = new Promise<MachineExit>((resolve) => machine.onExit(resolve));
  try {
    const ready = readyLine(machine, gone, bootTimeoutMs, clock);
    const startMs = clock.monotonic();
    await machine.start();
    await ready;
    const leftMs = Math.max(1, bootTimeoutMs - (clock.monotonic() - startMs));
    const client = await GuestClient.open(hypervisor.connect(spec.address), leftMs, clock);
    client.close();
  } finally {
    machine.signal('SIGKILL');
    await gone;
    await machine.remove();
  }
}

function readyLine(machine: Machine, gone: Promise<MachineExit>, timeoutMs: number, clock: Clock): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    const cancel = clock.timer(timeoutMs, () => {
      reject(new ShoalError('VM_BOOT_TIMEOUT', `it was not ready within boot_timeout_ms (${timeoutMs} ms)`));
    });
    let heard = '';
    machine.onConsole((bytes) => {
      heard = (heard + Buffer.from(bytes).toString('latin1')).slice(-HEARD_CHARS_MAX);
      if (!/^shoal1 ready .*\n/m.test(heard)) return;
      cancel();
      resolve();
    });
    void gone.then(({ exitCode, signal }) => {
      cancel();
      const how = signal ?? (exitCode === null ? 'for an unknown reason' : `with exit code ${exitCode}`);
      reject(new ShoalError('VM_GONE', `its VM ended ${how} before it was ready`));
    });
  });
  // If the start itself fails, nobody waits for it.
  ready.catch(() => undefined);
  return ready;
}
