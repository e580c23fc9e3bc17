import type { MachineExit } from '../port.ts';

/** How a process ended, for people. */
export function exitText(exit: MachineExit | undefined): string {
  if (exit === undefined) return 'exit unknown';
  const { exitCode, signal, stderr } = exit;
  const how = signal ?? `exit code ${exitCode}`;
  return stderr === '' ? how : `${how}: ${stderr.slice(-300)}`;
}
