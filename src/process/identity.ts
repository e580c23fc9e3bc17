import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import type { ProcessIdentity } from './spawner.ts';
import { whileThere } from './while-there.ts';

/** `unknown`: /proc could not be read, which says nothing about the process. */
export type Liveness = 'alive' | 'gone' | 'unknown';

/**
 * Without a mounted /proc every process would seem to be gone.
 * @throws PROC_UNUSABLE
 */
export function checkProc(): void {
  let cause: unknown;
  try {
    if (existsSync('/proc/self/stat')) return void bootId();
  } catch (error) {
    cause = error;
  }
  throw new ShoalError(
    'PROC_UNUSABLE',
    'The folder /proc does not show processes, and without it Shoal cannot tell one process from another; mount it: `mount -t proc proc /proc`',
    { cause },
  );
}

/** Whether a value that was read, such as from a file, names a process. It may be gone. */
export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (!isRecord(value)) return false;
  const { pid, startTicks, bootId: boot } = value;
  return Number.isSafeInteger(pid) && Number.isSafeInteger(startTicks) && typeof boot === 'string';
}

let bootIdOnce: string | undefined;

export function bootId(): string {
  bootIdOnce ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootIdOnce;
}

/**
 * The identity of a running process; undefined if there is none with that pid, or only its zombie.
 * @throws whatever kept /proc from being read
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === undefined || isOver(stat)) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/**
 * As `identify`, but a zombie counts too. It is for a parent that has just started the process: the pid cannot pass to another process
 * before the parent has waited for it.
 */
export function identifyChild(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether that very process runs. A zombie counts as gone, because it holds no address and no file. */
export function probe(identity: ProcessIdentity): Liveness {
  try {
    if (identity.bootId !== bootId()) return 'gone';
    return identify(identity.pid)?.startTicks === identity.startTicks ? 'alive' : 'gone';
  } catch {
    return 'unknown';
  }
}

/** False only if that very process is known to be gone. */
export function isAlive(identity: ProcessIdentity): boolean {
  return probe(identity) !== 'gone';
}

const NS_PER_MS = 1_000_000;

/**
 * Milliseconds for which the present threads of a process have run or waited for a CPU, so that the load of the host does not matter.
 * 0 if it is gone, undefined if /proc cannot be read. From
 * /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats).
 */
export function cpuDemandMsOf(identity: ProcessIdentity): number | undefined {
  return sumOfThreads(identity, ([ranNs = 0, waitedNs = 0]) => ranNs + waitedNs);
}

/** The same without the time in which its threads waited for a CPU. */
export function cpuUsedMsOf(identity: ProcessIdentity): number | undefined {
  return sumOfThreads(identity, ([ranNs = 0]) => ranNs);
}

function sumOfThreads(identity: ProcessIdentity, ns: (schedstat: readonly number[]) => number): number | undefined {
  const liveness = probe(identity);
  if (liveness !== 'alive') return liveness === 'gone' ? 0 : undefined;
  const tasks = `/proc/${identity.pid}/task`;
  try {
    const threads = whileThere(() => readdirSync(tasks)) ?? [];
    return threads.reduce((sum, task) => sum + ns(schedstatOf(`${tasks}/${task}`)) / NS_PER_MS, 0);
  } catch {
    return undefined;
  }
}

/** A thread may end in between. */
function schedstatOf(task: string): readonly number[] {
  const text = whileThere(() => readFileSync(`${task}/schedstat`, 'latin1')) ?? '0 0';
  return text.split(' ').map(Number);
}

/** Signals that very process, if it is known to live. @returns whether it was signalled */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (probe(identity) !== 'alive') return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    // It ended meanwhile, or is another user's.
    return false;
  }
}

const POLL_MS = 10;

/** Resolves with true once the process is known to be gone, with false if it is not within `timeoutMs`. */
export function whenGone(identity: ProcessIdentity, timeoutMs: number, clock: Clock): Promise<boolean> {
  const endMs = clock.monotonic() + timeoutMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (probe(identity) === 'gone') resolve(true);
      else if (clock.monotonic() >= endMs) resolve(false);
      else clock.timer(POLL_MS, look);
    };
    look();
  });
}

interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: number;
}

/**
 * Whether only the entry of the process is left. While its first thread is a zombie, others may still run and hold sockets: such a process
 * is not gone.
 */
function isOver({ state, threads }: Stat): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

/** Undefined if there is no such process. @throws whatever kept the file from being read, and if it is not as proc(5) says */
function readStat(pid: number): Stat | undefined {
  const text = whileThere(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === undefined) {
    checkProc();
    return undefined;
  }
  // The second field is the program's name in brackets, which may contain blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const stat = { state: fields[0] ?? '', threads: Number(fields[17]), startTicks: Number(fields[19]) };
  if (Number.isSafeInteger(stat.startTicks) && Number.isSafeInteger(stat.threads)) return stat;
  throw new Error(`/proc/${pid}/stat cannot be understood: ${JSON.stringify(text.slice(0, 200))}`);
}
