import { readFileSync } from 'node:fs';

/**
 * Whether this process may change the settings of its terminal: the kernel stops (SIGTTOU) a process in the background that tries. Where
 * the kernel does not say, the answer is yes.
 */
export function isInForeground(): boolean {
  try {
    return foregroundIn(readFileSync('/proc/self/stat', 'utf8'));
  } catch {
    return true;
  }
}

/** @param stat the content of `/proc/PID/stat` */
export function foregroundIn(stat: string): boolean {
  // The program's name stands in parentheses and may itself hold blanks and parentheses.
  const [, , group, , , terminalGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A process without a controlling terminal is under nobody's job control.
  return terminalGroup === '-1' || terminalGroup === group;
}
