import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../errors.ts';

/** The most that a VM may take of its host. */
export interface Caps {
  /** Guest memory and QEMU's own; none of it in swap. */
  readonly memoryBytes: number;
  /** 100 is one core, for the one virtual CPU; QEMU's own work needs some more. */
  readonly cpuPercent: number;
}

export const CGROUP_ROOT = '/sys/fs/cgroup';

const MIB = 1024 * 1024;
/** QEMU's heap, its translation buffer (32 MiB) and its share of libraries, with room. */
const QEMU_BYTES = 96 * MIB;
const CPU_PERCENT = 150;
const CPU_PERIOD_US = 100_000;
/** As the kernel gives it to a new group. */
const USUAL_WEIGHT = 100;
/** A sixth of that: a VM that gives way goes on, if slower. */
const LOW_WEIGHT = 17;
const CONTROLLERS = ['cpu', 'memory'];

export function capsOf(memoryMib: number): Caps {
  return { memoryBytes: memoryMib * MIB + QEMU_BYTES, cpuPercent: CPU_PERCENT };
}

/** Why this user cannot cap VMs on this host; undefined if they can be capped. */
export function whyUncapped(root = CGROUP_ROOT): string | undefined {
  try {
    const offered = readFileSync(join(root, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    const missing = CONTROLLERS.filter((name) => !offered.includes(name));
    if (missing.length > 0) return `cgroup v2 at ${root} does not hand on ${missing.join(' and ')}`;
    accessSync(root, constants.W_OK);
    return undefined;
  } catch (error) {
    return `cgroup v2 at ${root} cannot be used (${codeOf(error) ?? String(error)})`;
  }
}

/**
 * Caps by cgroup v2: one group for the fleet, and below it one for each VM. Where cgroup v2 is absent, lacks a
 * controller or cannot be written, VMs run without caps, and `why` says so.
 */
export class Cgroups {
  /** Undefined if caps can be set. */
  readonly why: string | undefined;
  readonly #fleet: string;

  constructor(fleetTag: string, root = CGROUP_ROOT) {
    this.#fleet = join(root, `shoal-${fleetTag}`);
    this.why = whyUncapped(root);
  }

  /** Puts a process into a group of its own. @returns whether it is capped */
  place(vm: number, pid: number, caps: Caps): boolean {
    if (this.why !== undefined) return false;
    // Once more: another thread may have removed the fleet's empty group in between.
    if (this.#tryToPlace(vm, pid, caps) || this.#tryToPlace(vm, pid, caps)) return true;
    // Shoal may read and not write: a VM without caps is better than none.
    this.remove(vm);
    return false;
  }

  #tryToPlace(vm: number, pid: number, caps: Caps): boolean {
    const group = this.#groupOf(vm);
    try {
      mkdirSync(group, { recursive: true });
      enable(this.#fleet);
      writeFileSync(join(group, 'memory.max'), `${caps.memoryBytes}\n`);
      forbidSwap(group);
      writeFileSync(join(group, 'cpu.max'), `${(caps.cpuPercent * CPU_PERIOD_US) / 100} ${CPU_PERIOD_US}\n`);
      writeFileSync(join(group, 'cgroup.procs'), `${pid}\n`);
      return true;
    } catch {
      return false;
    }
  }

  /** Changes what a VM gets of scarce CPUs. @returns false if it has no group, or there is no such control */
  weigh(vm: number, isLow: boolean): boolean {
    if (this.why !== undefined) return false;
    try {
      // The kernel makes these files with the group.
      writeFileSync(join(this.#groupOf(vm), 'cpu.weight'), `${isLow ? LOW_WEIGHT : USUAL_WEIGHT}\n`, { flag: 'r+' });
      return true;
    } catch {
      return false;
    }
  }

  /** To be called after the process is gone. A group that is not empty yet is left to the next call. */
  remove(vm: number): void {
    if (this.why !== undefined) return;
    for (const group of [this.#groupOf(vm), this.#fleet]) {
      try {
        rmdirSync(group);
      } catch {
        return;
      }
    }
  }

  #groupOf(vm: number): string {
    return join(this.#fleet, `vm-${vm}`);
  }
}

function enable(group: string): void {
  writeFileSync(join(group, 'cgroup.subtree_control'), CONTROLLERS.map((name) => `+${name}`).join(' '));
}

/**
 * Without this a VM that reaches its cap would go on in the host's swap, without bound and as slow as if it hung. It
 * should end instead, and another VM take its place. A kernel without swap has no such file.
 */
function forbidSwap(group: string): void {
  const file = join(group, 'memory.swap.max');
  if (existsSync(file)) writeFileSync(file, '0\n');
}
