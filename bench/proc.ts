import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of all threads of a process, from the nanoseconds of the scheduler: /proc/PID/stat counts in hundredths of a second. */
export function cpuMsOf(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  }
  return ns / 1e6;
}

/** Memory of a process, in which shared pages count in proportion (PSS). */
export function pssBytesOf(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
  return Number(kib ?? Number.NaN) * 1024;
}
