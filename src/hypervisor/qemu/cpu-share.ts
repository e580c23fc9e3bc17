import { readFileSync, writeFileSync } from 'node:fs';
import type { VmId } from '../../fleet/mod.ts';
import { isAlive } from '../../process/mod.ts';
import type { Cgroups } from './cgroup.ts';
import { manifestIn } from './manifest.ts';
import { runPaths } from './run-directory.ts';

/** A sixth of what others get: one that gives way goes on, if slower. */
const LOW_NICE = 8;
const USUAL_NICE = 0;

/**
 * How much of scarce CPUs a VM gets: by the weight of its control group, or else by the nice value of its session, which
 * the kernel schedules as a group (`autogroup`). Only root may change that as often as it takes; for others it stays.
 */
export class CpuShare {
  readonly #directory: string;
  readonly #cgroups: Cgroups;
  readonly #hasSessions: boolean;

  constructor(directory: string, cgroups: Cgroups) {
    this.#directory = directory;
    this.#cgroups = cgroups;
    this.#hasSessions = process.geteuid?.() === 0 && hasAutogroups();
  }

  /** Does nothing where it cannot, or if the VM is gone. */
  set(vm: VmId, isLow: boolean): void {
    if (this.#cgroups.weigh(vm, isLow) || !this.#hasSessions) return;
    try {
      const qemu = manifestIn(runPaths(this.#directory, vm).manifest)?.process;
      if (qemu !== undefined && isAlive(qemu)) {
        writeFileSync(`/proc/${qemu.pid}/autogroup`, String(isLow ? LOW_NICE : USUAL_NICE));
      }
    } catch {
      // It has ended in between.
    }
  }
}

function hasAutogroups(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim() === '1';
  } catch {
    return false;
  }
}
