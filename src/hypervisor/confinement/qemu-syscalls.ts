import { type ArgumentRule, type SeccompRules, seccompFilter, type Verdict } from './seccomp-filter.ts';
import { SYSCALLS, type SyscallName } from './syscall-numbers.ts';

type Names = readonly SyscallName[];

/** Files that are open, and those of the mount namespace. */
const FILES: Names = [
  'read',
  'write',
  'readv',
  'writev',
  'pread64',
  'pwrite64',
  'preadv',
  'pwritev',
  'close',
  'lseek',
  'open',
  'openat',
  'access',
  'faccessat',
  'faccessat2',
  'readlink',
  'readlinkat',
  'stat',
  'lstat',
  'fstat',
  'newfstatat',
  'statx',
  'statfs',
  'fstatfs',
  'getcwd',
  'unlink',
  'unlinkat',
  'ftruncate',
  'fallocate',
  'fsync',
  'fdatasync',
  'fcntl',
  'flock',
  'dup',
  'dup2',
  'dup3',
  'pipe2',
];

/** Memory. */
const MEMORY: Names = ['mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk'];

/** Waiting for what comes in. */
const EVENTS: Names = [
  'poll',
  'ppoll',
  'select',
  'pselect6',
  'epoll_create1',
  'epoll_ctl',
  'epoll_wait',
  'epoll_pwait',
  'epoll_pwait2',
  'eventfd2',
  'signalfd4',
  'timerfd_create',
  'timerfd_settime',
  'timerfd_gettime',
];

/** Sockets that QEMU serves: it connects to none. */
const SOCKETS: Names = [
  'bind',
  'listen',
  'accept',
  'accept4',
  'getsockname',
  'getpeername',
  'getsockopt',
  'setsockopt',
  'shutdown',
  'recvmsg',
  'sendmsg',
  'recvfrom',
  'sendto',
];

/** Threads and signals among them. */
const THREADS: Names = [
  'futex',
  'set_robust_list',
  'get_robust_list',
  'rseq',
  'set_tid_address',
  'gettid',
  'tgkill',
  'exit',
  'exit_group',
  'sched_yield',
  'sched_getaffinity',
  'membarrier',
  'arch_prctl',
  'rt_sigaction',
  'rt_sigprocmask',
  'rt_sigreturn',
  'rt_sigpending',
  'rt_sigtimedwait',
  'sigaltstack',
  'restart_syscall',
];

/** What it asks of the machine and of itself. */
const QUESTIONS: Names = [
  'getpid',
  'getuid',
  'geteuid',
  'getgid',
  'getegid',
  'uname',
  'sysinfo',
  'getrandom',
  'getcpu',
  'getrusage',
  'prlimit64',
  'clock_gettime',
  'clock_getres',
  'clock_nanosleep',
  'nanosleep',
  'gettimeofday',
  'time',
];

/** A QEMU that starts as root becomes the user of its VM by these, and has no capability from then on. */
const CHANGE_OF_USER: Names = ['setuid', 'setgid', 'setgroups', 'setresuid', 'setresgid'];

/** What a program uses that breaks out: a QEMU that makes one of these calls is not ours any more, and is killed. */
const NEVER: Names = [
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'kcmp',
  'pidfd_open',
  'pidfd_getfd',
  'pidfd_send_signal',
  'mount',
  'umount2',
  'pivot_root',
  'chroot',
  'move_mount',
  'open_tree',
  'fsopen',
  'fsconfig',
  'fsmount',
  'fspick',
  'mount_setattr',
  'unshare',
  'setns',
  'fork',
  'vfork',
  'execveat',
  'open_by_handle_at',
  'name_to_handle_at',
  'mknod',
  'mknodat',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'keyctl',
  'add_key',
  'request_key',
  'init_module',
  'finit_module',
  'delete_module',
  'kexec_load',
  'kexec_file_load',
  'reboot',
  'swapon',
  'swapoff',
  'acct',
  'quotactl',
  'syslog',
  'iopl',
  'ioperm',
  'personality',
  'modify_ldt',
  'settimeofday',
  'clock_settime',
  'clock_adjtime',
  'adjtimex',
  'sethostname',
  'setdomainname',
];

const CLONE_THREAD = 0x00010000;
/** CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET. */
const CLONE_NAMESPACES = 0x7e020000;
const AF_UNIX = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const KVM_IOEVENTFD = 0x4040ae79;
const MADV_HUGEPAGE = 14;
const EPERM = 1;
const EINVAL = 22;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_TIMERSLACK, PR_MCE_KILL, PR_SET_VMA. */
const PRCTLS = [15, 16, 23, 29, 33, 0x53564d41];

const BY_ARGUMENT: readonly (readonly [SyscallName, ArgumentRule])[] = [
  // A thread and no process. The C library falls back to it where there is no `clone3`, whose flags no filter can see.
  ['clone', { argument: 0, withBits: CLONE_THREAD, withoutBits: CLONE_NAMESPACES, otherwise: 'kill' }],
  ['socket', { argument: 0, oneOf: [AF_UNIX], otherwise: { errno: EAFNOSUPPORT } }],
  // KVM is driven by it. The first two would type into a terminal. By the third QEMU finds out at its start how many of its like the kernel
  // takes. To take them back makes the kernel wait for all its CPUs, which is a quarter of a start; and none is used (`argv.ts`).
  ['ioctl', { argument: 1, noneOf: [TIOCSTI, TIOCLINUX, KVM_IOEVENTFD], otherwise: { errno: EPERM } }],
  // Of 2 MiB each, a guest of 16 MiB would take several for what fits into a fraction of one. QEMU does without.
  ['madvise', { argument: 2, noneOf: [MADV_HUGEPAGE], otherwise: { errno: EINVAL } }],
  ['prctl', { argument: 0, oneOf: PRCTLS, otherwise: { errno: EINVAL } }],
];

/**
 * The filter for the small QEMU, which has none of its own: what was seen to be used in a whole life, and what the C library may use in the
 * place of it. Everything else fails as if the kernel did not have it, so that a newer library falls back.
 * @param changesUser whether QEMU starts as root and becomes another user
 */
export function qemuFilter(changesUser: boolean): Buffer {
  const before = made.get(changesUser);
  if (before !== undefined) return before;
  const filter = make(changesUser);
  made.set(changesUser, filter);
  return filter;
}

/** The same for each VM, and half a millisecond's work. */
const made = new Map<boolean, Buffer>();

function make(changesUser: boolean): Buffer {
  const allowed = [...FILES, ...MEMORY, ...EVENTS, ...SOCKETS, ...THREADS, ...QUESTIONS];
  // By it `bwrap` starts QEMU, under the filter already. What it could start later is in its mount namespace: itself.
  const execve: Names = ['execve'];
  const each = (names: Names, verdict: Verdict) => names.map((name) => [SYSCALLS[name], verdict] as const);
  const rules: SeccompRules = new Map<number, Verdict | ArgumentRule>([
    ...each([...allowed, ...execve, ...(changesUser ? CHANGE_OF_USER : [])], 'allow'),
    ...each([...NEVER, ...(changesUser ? [] : CHANGE_OF_USER)], 'kill'),
    ...BY_ARGUMENT.map(([name, rule]) => [SYSCALLS[name], rule] as const),
  ]);
  return seccompFilter(rules, { errno: ENOSYS });
}
