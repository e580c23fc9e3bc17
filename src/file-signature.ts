import { statSync } from 'node:fs';

/**
 * Changes whenever a file does: its last change has a time that nobody can set, unlike its writing. Empty if there is no such file, or none
 * that can be looked at.
 */
export function signatureOf(path: string): string {
  try {
    const { ino, size, ctimeNs } = statSync(path, { bigint: true });
    return `${ino}:${size}:${ctimeNs}`;
  } catch {
    return '';
  }
}
