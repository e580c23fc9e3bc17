import type { VmEnd } from '../../fleet/mod.ts';
import type { MachineExit } from '../port.ts';
import { EXIT_CODE_BAD_ARGUMENT, EXIT_CODE_PANIC, EXIT_CODE_STOPPED } from '../qemu/argv.ts';
import type { LifecycleState } from './lifecycle-state.ts';

/**
 * The end of a VM as users are told of it, and whether it came although nobody asked for it.
 * @param because what is known of the end besides the exit
 */
export function endOf(
  state: LifecycleState,
  exit: MachineExit,
  because: string | undefined,
): { readonly end: VmEnd; readonly unexpected: boolean } {
  const { exitCode } = exit;
  const unexpected = state.phase.name !== 'stopping';
  // The exit code of an adopted process is unknown, so the guest's own word has to do.
  const poweredOff = exitCode === EXIT_CODE_STOPPED || (exitCode === null && exit.signal === null);
  const clean = state.bye === 'stop' && poweredOff;
  const why = clean ? (state.stopAsked?.why ?? 'the guest stopped by itself') : (because ?? whyDirty(state, exit));
  const { verdict } = state;
  return { end: { clean, why, exitCode, ...(verdict === undefined ? {} : { verdict }) }, unexpected };
}

function whyDirty(state: LifecycleState, { exitCode, signal }: MachineExit): string {
  if (signal !== null) return `killed by ${signal}`;
  if (state.bye !== undefined && state.bye !== 'stop') return `the guest said bye: ${state.bye}`;
  switch (exitCode) {
    case EXIT_CODE_STOPPED:
      return 'the guest powered off without saying bye';
    case EXIT_CODE_BAD_ARGUMENT:
      return 'the guest could not use what it was told';
    case EXIT_CODE_PANIC:
      return 'the guest panicked';
    case 0:
      return state.phase.name === 'stopping' ? 'ended by us' : 'the guest reset itself (a triple fault)';
    case null:
      return 'its process is gone';
    default:
      return `QEMU ended with exit code ${exitCode}`;
  }
}
