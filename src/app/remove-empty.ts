import { rmdirSync } from 'node:fs';

/** A folder stays if something is in it. */
export function removeEmpty(...folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // Not empty, or not there.
    }
  }
}
