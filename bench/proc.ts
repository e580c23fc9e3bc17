import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process has used, all of its threads together: in the scheduler's own nanoseconds, since /proc/PID/stat counts hundredths. */
export function cpuMsOf(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  }
  return ns / 1e6;
}

/** Memory of a process, with what it shares divided among those who share it. */
export function pssBytesOf(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
  return Number(kib ?? Number.NaN) * 1024;
}
