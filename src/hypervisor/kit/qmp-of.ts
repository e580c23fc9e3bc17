import type { Machine } from '../port.ts';
import { QemuMachine } from '../qemu/machine.ts';

/** QEMU's monitor, beyond the port: what a test asks of QEMU itself. */
export function qmpOf(machine: Machine): QemuMachine['qmp'] {
  if (!(machine instanceof QemuMachine)) throw new Error('not a machine of QEMU');
  return (command, args, timeoutMs) => machine.qmp(command, args, timeoutMs);
}
