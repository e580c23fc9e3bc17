/** The program of Debian's package bubblewrap. */
export const BWRAP = 'bwrap';
/** Where the wrapper tells its caller of the program (`SpawnRequest.infoPath`), and where it reads the filter. */
export const INFO_FD = 3;
export const FILTER_FD = 4;

export interface Confinement {
  /** Files that the program reads. */
  readonly files: readonly string[];
  /** Devices that it opens. */
  readonly devices: readonly string[];
  /** The one folder that it writes to; undefined: none. */
  readonly folder?: string;
  /** The program, started as root, becomes another user itself once it has opened its files. */
  readonly becomesAnother: boolean;
  readonly tellsPid: boolean;
}

/**
 * Arguments of `bwrap` before those of the program: namespaces of its own, and in that of the mounts nothing but what is named, all of it
 * under its usual path.
 */
export function bwrapArgs({ files, devices, folder, becomesAnother, tellsPid }: Confinement): readonly string[] {
  return [
    // Without a monitor inside of the PID namespace: the program is its first process.
    ...['--unshare-net', '--unshare-ipc', '--unshare-pid', '--as-pid-1', '--unshare-uts'],
    // A user may make namespaces only below one of users. Root keeps what QEMU needs to open its files, whoever owns them,
    // and to become another user. It loses all of that by becoming one.
    ...(becomesAnother
      ? ['--cap-drop', 'ALL', ...['CAP_DAC_OVERRIDE', 'CAP_SETUID', 'CAP_SETGID'].flatMap((one) => ['--cap-add', one])]
      : ['--unshare-user', '--cap-drop', 'ALL']),
    ...files.flatMap((path) => ['--ro-bind', path, path]),
    ...devices.flatMap((path) => ['--dev-bind', path, path]),
    ...(folder === undefined ? [] : ['--bind', folder, folder]),
    ...['--remount-ro', '/', '--chdir', '/'],
    ...['--seccomp', String(FILTER_FD)],
    ...(tellsPid ? ['--info-fd', String(INFO_FD)] : []),
    '--',
  ];
}
