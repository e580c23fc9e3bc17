import { getSystemErrorMap } from 'node:util';
import { codeOf, ShoalError } from '../errors.ts';

const ROOM = 'make room on that disk';
const MEMORY = 'make memory free, or raise the limit of this process (`ulimit -v`) or of its cgroup';
const RIGHTS = 'give this user the right, or name another place';

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: ROOM,
  EDQUOT: `${ROOM}, or raise the quota of this user`,
  EFBIG: 'raise the limit of the size of files (`ulimit -f`)',
  EMFILE: 'raise the limit of open files (`ulimit -n`)',
  ENFILE: 'raise the limit of open files of the machine (`sysctl fs.file-max`)',
  EAGAIN: 'raise the limit of processes and threads (`ulimit -u`, or TasksMax of the service)',
  ENOMEM: MEMORY,
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EROFS: RIGHTS,
  EIO: 'check that disk; the log of the kernel (`dmesg`) says more',
};

const NAMES: ReadonlySet<string> = new Set([...getSystemErrorMap().values()].map(([name]) => name));

/** What the system refuses for lack of room, rights or memory is no defect of Shoal. @returns undefined for any other error */
export function systemRefusal(error: unknown): ShoalError | undefined {
  const code = codeOf(error);
  if (!(error instanceof Error) || code === undefined || !NAMES.has(code)) return undefined;
  const reason = error.message.includes(code) ? error.message : `${code}: ${error.message}`;
  const remedy = REMEDIES[code] ?? 'the message names the call and the file';
  const kind = code === 'EMFILE' ? 'OPEN_FILES_LIMIT' : 'SYSTEM_REFUSED';
  return new ShoalError(kind, `The system refused an operation (${reason}); ${remedy}`, { cause: error });
}
