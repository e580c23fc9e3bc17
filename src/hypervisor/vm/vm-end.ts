import type { ErrorEnvelope } from '../../errors.ts';
import type { VmEnd, VmEndReason } from '../../fleet/mod.ts';
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
  const reason = reasonOf(state, exit, clean, because);
  return { end: { clean, reason, why, exitCode, ...(verdict === undefined ? {} : { verdict }) }, unexpected };
}

/** The end of a VM that QEMU could not be started for. */
export function notPrepared({ code }: ErrorEnvelope): VmEnd {
  const reason = code === 'PORT_TAKEN' ? 'address-taken' : 'prepare-failed';
  return { clean: false, reason, why: 'it could not be prepared', exitCode: null };
}

/** Who has it ended knows why, and so does Shoal if it gave the VM up; for all others the exit speaks. */
function reasonOf(
  { stopAsked, error, bye, phase }: LifecycleState,
  { exitCode, signal }: MachineExit,
  clean: boolean,
  because: string | undefined,
): VmEndReason {
  if (stopAsked !== undefined) return stopAsked.reason;
  if (error !== undefined && phase.name === 'stopping') return reasonOfError(error);
  if (clean) return 'guest-stopped';
  if (because !== undefined) return 'orphaned';
  if (signal !== null) return 'killed';
  if (bye !== undefined && bye !== 'stop') return 'guest-bye';
  return REASONS_OF_EXITS[String(exitCode)] ?? 'qemu-exited';
}

/** By exit code; `null` is the end of a process that was not ours to wait for. */
const REASONS_OF_EXITS: Readonly<Partial<Record<string, VmEndReason>>> = {
  [EXIT_CODE_STOPPED]: 'guest-powered-off',
  [EXIT_CODE_BAD_ARGUMENT]: 'guest-refused',
  [EXIT_CODE_PANIC]: 'guest-panicked',
  0: 'guest-reset',
  null: 'process-gone',
};

function reasonOfError({ code }: ErrorEnvelope): VmEndReason {
  if (code === 'VM_BOOT_TIMEOUT') return 'boot-timeout';
  return code === 'VM_CONTRACT' ? 'contract-broken' : 'start-failed';
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
