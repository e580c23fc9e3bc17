/** The largest size of each file that a QEMU writes: its unread console, and its standard error. */
export const FILE_BYTES_MAX = 1024 * 1024;

const CANNOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/**
 * Whether the shell ended because it could not run the program. The exit code alone does not tell: a program's loader
 * uses the same ones.
 */
export function couldNotRun(exitCode: number | null | undefined, stderr: string): boolean {
  return CANNOT_RUN.has(exitCode ?? 0) && /\bexec: |bad interpreter/.test(stderr);
}

/** The unit of `ulimit -f` by POSIX. */
const BLOCK_BYTES = 512;

/** A file that the program finds open. */
export interface Input {
  readonly descriptor: number;
  /** A name in its current folder, of letters, digits and dots. */
  readonly name: string;
}

/**
 * The same program with a limit on the size of the files that it writes. The kernel enforces the limit, also while no
 * Shoal runs. Without the trap the program would be killed at the limit; with it the write fails, and the guest's
 * further output is lost.
 */
export function bounded(
  program: string,
  args: readonly string[],
  input?: Input,
): { readonly command: string; readonly args: string[] } {
  const opened = input === undefined ? '' : ` ${input.descriptor}<${input.name}`;
  // A lower limit cannot be raised, and serves as well.
  const script = `ulimit -f ${FILE_BYTES_MAX / BLOCK_BYTES} 2>/dev/null; trap '' XFSZ; exec "$0" "$@"${opened}`;
  return { command: '/bin/sh', args: ['-c', script, program, ...args] };
}
