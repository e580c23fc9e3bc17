/** A process. The time of its start tells it from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
  /** /proc/sys/kernel/random/boot_id: pids and ticks start anew at every boot. */
  readonly bootId: string;
}

export interface SpawnRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Standard output and standard error are appended to it. The caller keeps it small (`boundFile`). */
  readonly stderrPath: string;
  /** The whole environment. Default: PATH, HOME and LANG only, so that the process gets no secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * If given, the command is a wrapper: it runs the program in a child of its own, of which it writes `"child-pid": PID` to file
   * descriptor 3 (`bwrap --info-fd 3`), and ends as that child did. The process that is started is then the child. The descriptor is
   * this file, because a pipe would end the wrapper half-way if its reader died.
   */
  readonly infoPath?: string;
}

export interface ProcessExit {
  /** Null if a signal ended it, or if it is unknown (an adopted process). */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Starts detached processes (own session, no terminal) without blocking the caller's event loop. */
export interface Spawner {
  /** @throws LAUNCHER_FAILED; an error with `code` ENOENT or EACCES if the program cannot be run */
  spawn(request: SpawnRequest): Promise<ProcessIdentity>;
  /** Calls once when a process has ended. A process that another program started is polled several times a second. */
  onExit(identity: ProcessIdentity, listener: (exit: ProcessExit) => void): void;
  /** Ends the launcher. The processes that it started go on. */
  close(): Promise<void>;
}
