import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../actors/mod.ts';
import type { ProcessIdentity } from './spawner.ts';

let bootIdOnce: string | undefined;

export function bootId(): string {
  bootIdOnce ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootIdOnce;
}

/** The identity of a running process; undefined if there is none with that pid, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === undefined || isOver(stat)) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/**
 * As `identify`, and a zombie counts too. For a parent that has just started the process: until it has waited for it nobody else can
 * have the pid, so this never fails, however short the process lived.
 */
export function identifyChild(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether that very process still runs. A zombie counts as gone: it holds no address and no file. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

const NS_PER_MS = 1_000_000;

/**
 * Milliseconds in which the threads of a process that live now have run, or have waited for a CPU to run on: what it wanted to compute,
 * however busy the host is. 0 if it is gone. From /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats).
 */
export function cpuDemandMsOf(identity: ProcessIdentity): number {
  if (!isAlive(identity)) return 0;
  const tasks = `/proc/${identity.pid}/task`;
  return whileThere(() => readdirSync(tasks), []).reduce((sum, task) => sum + demandMsOf(`${tasks}/${task}`), 0);
}

function demandMsOf(task: string): number {
  const text = whileThere(() => readFileSync(`${task}/schedstat`, 'latin1'), '0 0');
  const [ranNs = 0, waitedNs = 0] = text.split(' ').map(Number);
  return (ranNs + waitedNs) / NS_PER_MS;
}

/** A process or a thread may end while it is looked at. */
function whileThere<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

/** Signals that very process. @returns false if it is gone */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

const POLL_MS = 10;

/** Resolves with true once the process is gone, with false if it is not within `timeoutMs`. */
export function whenGone(identity: ProcessIdentity, timeoutMs: number, clock: Clock): Promise<boolean> {
  const endMs = clock.monotonic() + timeoutMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isAlive(identity)) resolve(true);
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
 * Whether nothing of the process is left but its entry. The first thread may be a zombie while others still run and hold sockets: such a
 * process is not gone.
 */
function isOver({ state, threads }: Stat): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets and may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
  };
}
