import { describe, expect, it } from 'vitest';
import { qemuFilter } from './qemu-syscalls.ts';
import { SYSCALLS, type SyscallName } from './syscall-numbers.ts';
import { runBpf, seccompData } from './testing/bpf-machine.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050000 + 1;
const EINVAL = 0x00050000 + 22;
const ENOSYS = 0x00050000 + 38;
/** Calls that serve to break out, and that a QEMU never makes: each stands for others of its kind. */
const OF_INTRUDERS: Readonly<Record<string, readonly SyscallName[]>> = {
  'reaches into other processes': ['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp'],
  'changes what is mounted': ['mount', 'umount2', 'pivot_root', 'chroot', 'move_mount', 'open_tree', 'fsmount'],
  'leaves its namespaces': ['unshare', 'setns'],
  'opens files around its folders': ['open_by_handle_at', 'name_to_handle_at', 'mknod', 'mknodat'],
  'starts processes': ['fork', 'vfork', 'execveat'],
  'loads code into the kernel': ['bpf', 'init_module', 'finit_module', 'kexec_load', 'kexec_file_load'],
  'uses wide parts of the kernel': ['io_uring_setup', 'io_uring_enter', 'userfaultfd', 'perf_event_open', 'keyctl'],
  'changes the machine': ['reboot', 'iopl', 'ioperm', 'settimeofday', 'clock_settime', 'sethostname', 'swapon'],
};
/** Numbers of calls that it does not need: they fail as if the kernel did not have them. */
const UNNEEDED = {
  ...{ connect: 42, socketpair: 53, kill: 62, tkill: 200, clone3: 435, memfd_create: 319, seccomp: 317 },
  ...{ rename: 82, mkdir: 83, link: 86, symlink: 88, chmod: 90, chown: 92, renameat2: 316, symlinkat: 266 },
  ...{ capset: 126, setfsuid: 122, setrlimit: 160, shmget: 29, msgget: 68, mq_open: 240, inotify_init1: 294 },
};
/** CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET. */
const NEW_NAMESPACES = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n];

function verdict(filter: Buffer, name: SyscallName, ...args: readonly bigint[]): number {
  return runBpf(filter, seccompData(SYSCALLS[name], args));
}

describe.each([true, false])('the filter of a QEMU (as root: %s)', (isRoot) => {
  const filter = qemuFilter(isRoot);

  it('lets it work', () => {
    for (const name of ['read', 'sendmsg', 'futex', 'mmap', 'exit_group', 'execve'] as const) {
      expect(verdict(filter, name)).toBe(ALLOW);
    }
    const KVM_RUN = 0xae80n;
    expect(verdict(filter, 'ioctl', 20n, KVM_RUN)).toBe(ALLOW);
  });

  it('kills it for what only an intruder does', () => {
    for (const [what, names] of Object.entries(OF_INTRUDERS)) {
      for (const name of names) expect(verdict(filter, name), `${name} ${what}`).toBe(KILL);
    }
  });

  it('has nothing that it does not need', () => {
    for (const [name, call] of Object.entries(UNNEEDED)) expect(runBpf(filter, seccompData(call)), name).toBe(ENOSYS);
  });

  it('keeps it from typing into a terminal, and from what `prctl` could change', () => {
    const [TIOCSTI, TIOCLINUX] = [0x5412n, 0x541cn];
    for (const request of [TIOCSTI, TIOCLINUX]) expect(verdict(filter, 'ioctl', 0n, request)).toBe(EPERM);
    const options = Array.from({ length: 100 }, (_, option) => option);
    const allowed = options.filter((option) => verdict(filter, 'prctl', BigInt(option)) === ALLOW);
    // PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_TIMERSLACK, PR_MCE_KILL.
    expect(allowed).toEqual([15, 16, 23, 29, 33]);
    const PR_SET_SECCOMP = 22n;
    expect(verdict(filter, 'prctl', PR_SET_SECCOMP)).toBe(EINVAL);
  });

  it('keeps it from a look at the kernel that takes a quarter of a start', () => {
    const [KVM_IOEVENTFD, KVM_IRQFD] = [0x4040ae79n, 0x4020ae76n];
    expect(verdict(filter, 'ioctl', 14n, KVM_IOEVENTFD)).toBe(EPERM);
    expect(verdict(filter, 'ioctl', 14n, KVM_IRQFD)).toBe(ALLOW);
  });

  it('lets it start threads, and neither processes nor namespaces', () => {
    const THREAD = 0x3d0f00n;
    const SIGCHLD = 17n;
    expect(verdict(filter, 'clone', THREAD)).toBe(ALLOW);
    expect(verdict(filter, 'clone', SIGCHLD)).toBe(KILL);
    for (const flag of NEW_NAMESPACES) expect(verdict(filter, 'clone', THREAD | flag)).toBe(KILL);
    // The C library falls back to `clone`, whose flags a filter can see.
    expect(runBpf(filter, seccompData(UNNEEDED.clone3))).toBe(ENOSYS);
  });

  it('lets it have UNIX sockets, and none of a network', () => {
    const [unix, inet, inet6, netlink, packet, vsock] = [1n, 2n, 10n, 16n, 17n, 40n];
    expect(verdict(filter, 'socket', unix)).toBe(ALLOW);
    for (const family of [inet, inet6, netlink, packet, vsock]) {
      expect(verdict(filter, 'socket', family)).toBe(0x00050000 + 97);
    }
  });

  it('keeps it from giving its guest pages of 2 MiB, most of which a small guest would leave empty', () => {
    const [DONTNEED, HUGEPAGE] = [4n, 14n];
    expect(verdict(filter, 'madvise', 0n, 0n, DONTNEED)).toBe(ALLOW);
    expect(verdict(filter, 'madvise', 0n, 0n, HUGEPAGE)).toBe(EINVAL);
  });

  it('lets it change its user only if it has to', () => {
    // However often, and in whatever order, filters are asked for.
    for (const one of [filter, qemuFilter(isRoot)]) {
      for (const name of ['setuid', 'setgid', 'setgroups'] as const) {
        expect(verdict(one, name)).toBe(isRoot ? ALLOW : KILL);
      }
    }
  });
});
