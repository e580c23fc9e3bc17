import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { VmId } from '../../fleet/mod.ts';
import { logPath } from './guest-log.ts';

const FILES_MAX = 50;

/** The log files of VMs that are gone: those of the fifty that ended last stay. */
export class EndedLogs {
  readonly #folder: string;
  /** Oldest first. The folder is looked at once: fifty files a look would cost more than the end of a VM. */
  #ended: Promise<Set<VmId>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param isLiving whether a VM has not ended @throws if the folder cannot be read; the next end tries again */
  async add(vm: VmId, isLiving: (vm: VmId) => boolean): Promise<void> {
    this.#ended ??= endedIn(this.#folder, isLiving);
    const ended = await this.#ended.catch((error: unknown) => {
      this.#ended = undefined;
      throw error;
    });
    ended.delete(vm);
    ended.add(vm);
    for (const oldest of ended) {
      if (ended.size <= FILES_MAX) return;
      ended.delete(oldest);
      await unlink(logPath(this.#folder, oldest)).catch(() => undefined);
    }
  }
}

/** Those that have a log, by the time of its last change. */
async function endedIn(folder: string, isLiving: (vm: VmId) => boolean): Promise<Set<VmId>> {
  const found: { vm: VmId; changedMs: number }[] = [];
  for (const name of await readdir(folder)) {
    const vm = Number(/^vm-(\d+)\.log$/.exec(name)?.[1]);
    if (Number.isNaN(vm)) continue;
    const changedMs = (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs;
    if (changedMs !== undefined) found.push({ vm, changedMs });
  }
  // One that has been started since the folder was read lives, too.
  const ended = found.filter(({ vm }) => !isLiving(vm)).sort((a, b) => a.changedMs - b.changedMs);
  return new Set(ended.map(({ vm }) => vm));
}
