import { statSync } from 'node:fs';

/** Changes whenever a file does: its last change has a time that nobody can set, unlike its writing. Empty if there is no such file. */
export function signatureOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.ctimeNs}`;
}
