import { readdirSync, readlinkSync } from 'node:fs';

/** What the descriptors of a process are of. One that is closed meanwhile is left out. */
export function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(`${folder}/${fd}`)];
    } catch {
      return [];
    }
  });
}
