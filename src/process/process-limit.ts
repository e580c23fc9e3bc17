import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ShoalError } from '../errors.ts';
import { softLimit } from './soft-limit.ts';

/** A limit on processes and threads, and how many of them there are. */
export interface ProcessUse {
  /** The limit as its operator knows it. */
  readonly limit: string;
  readonly max: number;
  readonly used: number;
}

/** What a Shoal with one VM takes on a small machine: itself, launcher, nats-server and QEMU, with their threads. */
const SHOAL_TAKES = 32;
const RAISE = 'raise `ulimit -u`, or TasksMax of the service (pids.max of the cgroup)';
const CGROUPS = '/sys/fs/cgroup';

/**
 * The limit of processes and threads that leaves too little room for a Shoal; undefined if none does, or if none can be read. It is meant
 * for explaining failures: by the time of a question, the process that met the limit may have ended.
 */
export function processShortage(uses: () => readonly ProcessUse[] = processUses): ProcessUse | undefined {
  return uses().find(({ max, used }) => max - used < SHOAL_TAKES);
}

/** For a start that failed with EAGAIN, or that failed while processes are short. */
export function processLimit(what: string, shortage = processShortage(), cause?: unknown): ShoalError {
  const reached =
    shortage === undefined
      ? 'a limit of processes and threads is reached'
      : `${shortage.used} of at most ${shortage.max} processes and threads are in use (${shortage.limit})`;
  return new ShoalError('PROCESS_LIMIT', `${what}: ${reached}, and a Shoal takes some ${SHOAL_TAKES}; ${RAISE}`, {
    cause,
    details: shortage === undefined ? {} : { limit: shortage.limit, max: shortage.max, used: shortage.used },
  });
}

/** The limits of this process. One that cannot be read is left out. */
export function processUses(): readonly ProcessUse[] {
  return [...ofUser(), ...ofCgroups()];
}

/** The kernel does not hold root to it. */
function ofUser(): readonly ProcessUse[] {
  const uid = process.geteuid?.();
  const max = softLimit(textOf('/proc/self/limits'), 'Max processes');
  if (uid === 0 || uid === undefined || max === undefined) return [];
  return [{ limit: '`ulimit -u`', max, used: threadsOf(uid) }];
}

function threadsOf(uid: number): number {
  const pids = namesIn('/proc').filter((name) => /^\d+$/.test(name) && ownerOf(`/proc/${name}`) === uid);
  return pids.reduce((sum, pid) => sum + namesIn(`/proc/${pid}/task`).length, 0);
}

/** The process's own cgroup and those above it, each of which may have a limit. */
function ofCgroups(): readonly ProcessUse[] {
  const line = /^(?:0:|\d+:pids):(.*)$/m;
  const path = line.exec(textOf('/proc/self/cgroup'))?.[1];
  if (path === undefined) return [];
  const uses: ProcessUse[] = [];
  for (let at = path; ; at = dirname(at)) {
    for (const root of [CGROUPS, join(CGROUPS, 'pids')]) uses.push(...ofCgroup(join(root, at)));
    if (dirname(at) === at) return uses;
  }
}

function ofCgroup(folder: string): readonly ProcessUse[] {
  const max = textOf(join(folder, 'pids.max')).trim();
  const used = textOf(join(folder, 'pids.current')).trim();
  // Otherwise the limit is `max`.
  return /^\d+$/.test(max) && /^\d+$/.test(used)
    ? [{ limit: join(folder, 'pids.max'), max: Number(max), used: Number(used) }]
    : [];
}

function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
