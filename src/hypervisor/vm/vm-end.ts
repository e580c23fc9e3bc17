import type { ErrorEnvelope } from '../../errors.ts';
import type { VmEnd, VmEndReason } from '../../fleet/mod.ts';
import type { MachineExit } from '../port.ts';
import type { PowerOff } from '../profile/profile.ts';
import { EXIT_CODE_BAD_ARGUMENT, EXIT_CODE_PANIC } from '../qemu/argv.ts';
import type { LifecycleState } from './lifecycle-state.ts';

/**
 * The end of a VM as users are told of it, and whether it came although nobody asked for it.
 * @param because what is known of the end besides the exit
 * @param powerOff how the guest tells a clean stop
 */
export function endOf(
  state: LifecycleState,
  exit: MachineExit,
  because: string | undefined,
  powerOff: PowerOff,
): { readonly end: VmEnd; readonly unexpected: boolean } {
  const { exitCode } = exit;
  const unexpected = state.phase.name !== 'stopping';
  const clean = isClean(state, exit, powerOff);
  const outcome = outcomeOf(exitCode, powerOff);
  const why = clean
    ? (state.stopAsked?.why ?? 'the guest stopped by itself')
    : (because ?? whyDirty(state, exit, outcome));
  const { verdict } = state;
  const reason = reasonOf(state, exit, outcome, clean, because);
  return { end: { clean, reason, why, exitCode, ...(verdict === undefined ? {} : { verdict }) }, unexpected };
}

function isClean({ bye, phase }: LifecycleState, exit: MachineExit, powerOff: PowerOff): boolean {
  // The exit code of an adopted process is unknown, so the guest's own word has to do.
  const isUnknown = exit.exitCode === null && exit.signal === null;
  const poweredOff = isUnknown || outcomeOf(exit.exitCode, powerOff) === 'guest-powered-off';
  if (powerOff.by !== 'exit') return bye === 'stop' && poweredOff;
  // QEMU ends with the same exit code when it is told to, which only comes after the guest was asked in vain.
  return poweredOff && phase.name === 'stopping' && phase.stage === 'console';
}

/** What an exit code says; a guest with the device `isa-debug-exit` has codes of its own. */
function outcomeOf(exitCode: number | null, powerOff: PowerOff): VmEndReason | undefined {
  if (exitCode === null) return 'process-gone';
  if (powerOff.by !== 'isa-debug-exit') return exitCode === 0 ? 'guest-powered-off' : undefined;
  if (exitCode === powerOff.code) return 'guest-powered-off';
  if (exitCode === EXIT_CODE_BAD_ARGUMENT) return 'guest-refused';
  if (exitCode === EXIT_CODE_PANIC) return 'guest-panicked';
  return exitCode === 0 ? 'guest-reset' : undefined;
}

/** The end of a VM that QEMU could not be started for. */
export function notPrepared({ code }: ErrorEnvelope): VmEnd {
  const reason = code === 'PORT_TAKEN' ? 'address-taken' : 'prepare-failed';
  return { clean: false, reason, why: 'it could not be prepared', exitCode: null };
}

/** Who has it ended knows why, and so does Shoal if it gave the VM up; for all others the exit speaks. */
function reasonOf(
  { stopAsked, error, bye, phase }: LifecycleState,
  { signal }: MachineExit,
  outcome: VmEndReason | undefined,
  clean: boolean,
  because: string | undefined,
): VmEndReason {
  if (stopAsked !== undefined) return stopAsked.reason;
  if (error !== undefined && phase.name === 'stopping') return reasonOfError(error);
  if (clean) return 'guest-stopped';
  if (because !== undefined) return 'orphaned';
  if (signal !== null) return 'killed';
  if (bye !== undefined && bye !== 'stop') return 'guest-bye';
  return outcome ?? 'qemu-exited';
}

function reasonOfError({ code }: ErrorEnvelope): VmEndReason {
  if (code === 'VM_BOOT_TIMEOUT') return 'boot-timeout';
  return code === 'VM_CONTRACT' ? 'contract-broken' : 'start-failed';
}

/** What guests of the contract say, and the built-in one does; the second if it had enough only to begin with. */
const TOO_LITTLE_MEMORY = /\b(?:too-little|out-of)-memory\b/;

/** Whether a guest ended because it has too little memory. @param bye its last words */
export function lacksMemory(bye: string): boolean {
  return TOO_LITTLE_MEMORY.test(bye);
}

/** A guest's own reason for its end, with the remedy if there is one. */
export function whyBye(bye: string): string {
  const remedy = lacksMemory(bye) ? '; raise vm_memory_bytes, or `memoryMib` of its profile' : '';
  return `the guest said bye: ${bye}${remedy}`;
}

/** An adopted process has no exit code. If it ends after QEMU was told to quit, or was signalled, that says enough. */
function isEndedByUs({ phase }: LifecycleState, exitCode: number | null): boolean {
  if (phase.name !== 'stopping') return false;
  return exitCode === 0 || (exitCode === null && phase.stage !== 'console');
}

function whyDirty(state: LifecycleState, { exitCode, signal }: MachineExit, outcome: VmEndReason | undefined): string {
  if (signal !== null) return `killed by ${signal}`;
  if (state.bye !== undefined && state.bye !== 'stop') {
    return whyBye(state.bye);
  }
  if (isEndedByUs(state, exitCode)) {
    return state.stopAsked === undefined ? 'ended by us' : `ended by us: ${state.stopAsked.why}`;
  }
  switch (outcome) {
    case 'guest-powered-off':
      return 'the guest powered off without saying bye';
    case 'guest-refused':
      return 'the guest could not use what it was told';
    case 'guest-panicked':
      return 'the guest panicked';
    case 'guest-reset':
      return 'the guest reset itself (a triple fault)';
    case 'process-gone':
      return 'its process is gone';
    default:
      return `QEMU ended with exit code ${exitCode}`;
  }
}
