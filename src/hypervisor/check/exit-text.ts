import type { MachineExit } from '../port.ts';

/** How a process ended, for people. */
export function exitText(exit: MachineExit | undefined): string {
  if (exit === undefined) return 'exit unknown';
  const { exitCode, signal, stderr } = exit;
  const how = signal ?? `exit code ${exitCode}`;
  return stderr === '' ? how : `${how}: ${tailOf(stderr)}`;
}

const TAIL_MAX = 300;

/** A dump of the registers has many lines, and the reason is one of the last. */
function tailOf(text: string): string {
  if (text.length <= TAIL_MAX) return text;
  const tail = text.slice(-TAIL_MAX);
  const word = tail.search(/\s/);
  return `... ${word < 0 ? tail : tail.slice(word).trimStart()}`;
}
