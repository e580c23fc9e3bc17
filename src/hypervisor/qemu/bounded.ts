/** What each file that a QEMU writes may grow to: its console, if nobody reads it, and its standard error. */
export const FILE_BYTES_MAX = 1024 * 1024;

const CANNOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/** Whether it was the shell that ended, because it could not run the program: the loader of a program uses the same exit codes. */
export function couldNotRun(exitCode: number | null | undefined, stderr: string): boolean {
  return CANNOT_RUN.has(exitCode ?? 0) && /\bexec: |bad interpreter/.test(stderr);
}

/** The unit of `ulimit -f` by POSIX. */
const BLOCK_BYTES = 512;

/**
 * The same program with a limit on the files that it writes, which the kernel keeps also while nobody watches. Without the trap the program would
 * be killed at the limit; with it, writing fails, and what a guest prints beyond is lost.
 */
export function bounded(
  program: string,
  args: readonly string[],
): { readonly command: string; readonly args: string[] } {
  // A limit that is lower already cannot be raised, and is as good.
  const script = `ulimit -f ${FILE_BYTES_MAX / BLOCK_BYTES} 2>/dev/null; trap '' XFSZ; exec "$0" "$@"`;
  return { command: '/bin/sh', args: ['-c', script, program, ...args] };
}
