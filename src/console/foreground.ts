import { readFileSync } from 'node:fs';

/**
 * Whether this process may change its terminal's settings. In the background the kernel would stop it (SIGTTOU) for trying. If the kernel
 * does not tell, the answer is yes.
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
  // Without a controlling terminal there is no job control.
  return terminalGroup === '-1' || terminalGroup === group;
}
