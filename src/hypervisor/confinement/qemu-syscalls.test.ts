import { describe, expect, it } from 'vitest';
import { qemuFilter } from './qemu-syscalls.ts';
import { SYSCALLS, type SyscallName } from './syscall-numbers.ts';
import { runBpf, seccompData } from './testing/bpf-machine.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ENOSYS = 0x00050000 + 38;

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
    for (const name of ['ptrace', 'mount', 'unshare', 'setns', 'bpf', 'fork', 'execveat', 'io_uring_setup'] as const) {
      expect(verdict(filter, name)).toBe(KILL);
    }
  });

  it('lets it start threads, and neither processes nor namespaces', () => {
    const THREAD = 0x3d0f00n;
    const NEW_NETWORK = 0x40000000n;
    const SIGCHLD = 17n;
    expect(verdict(filter, 'clone', THREAD)).toBe(ALLOW);
    expect(verdict(filter, 'clone', SIGCHLD)).toBe(KILL);
    expect(verdict(filter, 'clone', THREAD | NEW_NETWORK)).toBe(KILL);
    const CLONE3 = 435;
    // The C library falls back to `clone`.
    expect(runBpf(filter, seccompData(CLONE3))).toBe(ENOSYS);
  });

  it('lets it have UNIX sockets, and none of a network', () => {
    const [unix, inet, packet] = [1n, 2n, 17n];
    expect(verdict(filter, 'socket', unix)).toBe(ALLOW);
    for (const family of [inet, packet]) expect(verdict(filter, 'socket', family)).toBe(0x00050000 + 97);
    const CONNECT = 42;
    expect(runBpf(filter, seccompData(CONNECT))).toBe(ENOSYS);
  });

  it('keeps it from giving its guest pages of 2 MiB, most of which a small guest would leave empty', () => {
    const [DONTNEED, HUGEPAGE] = [4n, 14n];
    expect(verdict(filter, 'madvise', 0n, 0n, DONTNEED)).toBe(ALLOW);
    expect(verdict(filter, 'madvise', 0n, 0n, HUGEPAGE)).toBe(0x00050000 + 22);
  });

  it('lets it change its user only if it has to', () => {
    for (const name of ['setuid', 'setgid', 'setgroups'] as const) {
      expect(verdict(filter, name)).toBe(isRoot ? ALLOW : KILL);
    }
  });
});
