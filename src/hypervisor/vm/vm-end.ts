import type { VmEnd } from '../../fleet/mod.ts';
import type { MachineExit } from '../port.ts';
import { EXIT_CODE_BAD_ARGUMENT, EXIT_CODE_PANIC, EXIT_CODE_STOPPED } from '../qemu/argv.ts';
import type { VmMemory } from './vm-state.ts';

/** What is to be told of the end of a VM, and whether it came although nobody wanted it. */
export function endOf(memory: VmMemory, exit: MachineExit): { readonly end: VmEnd; readonly unexpected: boolean } {
  const { exitCode } = exit;
  const unexpected = memory.phase.name !== 'stopping';
  // Of an adopted process nobody knows the exit code: the guest's own word must do.
  const poweredOff = exitCode === EXIT_CODE_STOPPED || (exitCode === null && exit.signal === null);
  const clean = memory.bye === 'stop' && poweredOff;
  const why = clean ? (memory.stopAsked?.why ?? 'the guest stopped by itself') : whyDirty(memory, exit);
  const { verdict } = memory;
  return { end: { clean, why, exitCode, ...(verdict === undefined ? {} : { verdict }) }, unexpected };
}

function whyDirty(memory: VmMemory, { exitCode, signal }: MachineExit): string {
  if (signal !== null) return `killed by ${signal}`;
  if (memory.bye !== undefined && memory.bye !== 'stop') return `the guest said bye: ${memory.bye}`;
  switch (exitCode) {
    case EXIT_CODE_STOPPED:
      return 'the guest powered off without saying bye';
    case EXIT_CODE_BAD_ARGUMENT:
      return 'the guest could not use what it was told';
    case EXIT_CODE_PANIC:
      return 'the guest panicked';
    case 0:
      return memory.phase.name === 'stopping' ? 'ended by us' : 'the guest reset itself (a triple fault)';
    case null:
      return 'its process is gone';
    default:
      return `QEMU ended with exit code ${exitCode}`;
  }
}
