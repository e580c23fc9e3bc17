import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CapsSeen } from '../facts.ts';

export const CGROUP_ROOT = '/sys/fs/cgroup';

/** One cgroup, by its files. */
export class Group {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The group that the kernel says a process is in. */
  static of(pid: number): Group {
    const path = /^0::(.+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    if (path === undefined) throw new Error(`process ${pid} is in no group of cgroup v2`);
    return new Group(join(CGROUP_ROOT, path));
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8').trim();
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }

  /** A figure from a file whose lines hold a name and a figure. */
  figure(file: string, name: string): number {
    return figureIn(this.read(file), name);
  }

  add(pid: number): void {
    this.write('cgroup.procs', String(pid));
  }
}

export function figureIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

export function capsSeen(vm: number, pid: number): CapsSeen {
  const group = Group.of(pid);
  return {
    vm,
    group: group.path,
    holdsOnlyQemu: group.read('cgroup.procs') === String(pid),
    memoryMax: group.read('memory.max'),
    swapMax: group.read('memory.swap.max'),
    cpuMax: group.read('cpu.max'),
  };
}

/** Groups of fleets and of VMs that are there. */
export function groupsBelow(root: string): string[] {
  const names = existsSync(root) ? readdirSync(root) : [];
  return names.filter((name) => /^(shoal|vm)-/.test(name)).flatMap((name) => [name, ...groupsBelow(join(root, name))]);
}

/** Number of OOM kills in all groups. */
export function killsSoFar(): number {
  return figureIn(readFileSync('/proc/vmstat', 'utf8'), 'oom_kill');
}
