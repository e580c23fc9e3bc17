import type { Address } from '../../fleet/mod.ts';
import { formatAddress } from '../../fleet/mod.ts';
import type { MachineSpec } from '../port.ts';
import type { RunPaths } from './run-directory.ts';

/** The guest's own view of its network: QEMU's user network is the same behind every VM. */
const GUEST_ADDRESS = '10.0.2.15';
const GUEST_PREFIX_BITS = 24;
const GUEST_GATEWAY = '10.0.2.2';
export const GUEST_BIND = `${GUEST_ADDRESS}/${GUEST_PREFIX_BITS}`;

/** A value that the guest writes to port 0xf4 becomes the exit code (value * 2) + 1. */
export const EXIT_CODE_STOPPED = 67;
export const EXIT_CODE_BAD_ARGUMENT = 69;
export const EXIT_CODE_PANIC = 71;

/**
 * MiB for translated code. QEMU's default is 1 GiB, and a guest could make it use all of that; the built-in image
 * needs about 1 MiB.
 */
const TCG_CACHE_MIB = 32;

export interface ArgvOptions {
  readonly spec: MachineSpec;
  readonly uuid: string;
  readonly paths: RunPaths;
  /**
   * The user that QEMU becomes once it has opened its files; undefined if Shoal is not root: then QEMU runs as the
   * same user.
   */
  readonly runAs: number | undefined;
}

/** The arguments of QEMU for one VM. `docs/` says what each flag was found to do, and on which host. */
export function buildArgv({ spec, uuid, paths, runAs }: ArgvOptions): readonly string[] {
  return [
    // Its identity: these find the process again even if Shoal dies between the start and its note of the pid.
    ...['-name', `shoal-vm-${spec.vm}`, '-uuid', uuid, '-pidfile', paths.pid],
    // The CPU waits for QMP `cont`, so that the guest prints nothing before Shoal listens.
    '-S',
    ...['-M', 'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=on'],
    ...['-accel', spec.accelerator === 'tcg' ? `tcg,tb-size=${TCG_CACHE_MIB}` : 'kvm'],
    // Plain `max` and `host` abort under nested KVM that lacks MSR 0x10a.
    ...['-cpu', 'max,-arch-capabilities'],
    ...['-m', String(spec.memoryMib), '-smp', '1'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-chardev', consoleOf(paths)],
    ...['-serial', 'chardev:console'],
    // The monitor is a UNIX socket in a directory of mode 0700; there is none on TCP.
    ...['-chardev', `socket,id=monitor,path=${escapeCommas(paths.qmp)},server=on,wait=off`],
    ...['-mon', 'chardev=monitor,mode=control'],
    ...['-netdev', `user,id=net,restrict=on,ipv6=off,${forward(spec.address)}`],
    ...['-device', 'virtio-net-device,netdev=net'],
    // A clean stop has an exit code of its own; a triple fault exits with 0.
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
    ...sandbox(runAs),
    ...['-kernel', spec.image, '-append', guestCommandLine(spec)],
  ];
}

/** The guest's command line (guest contract, version 1). */
export function guestCommandLine(spec: MachineSpec): string {
  return [
    `shoal.id=${spec.vm}`,
    `shoal.bind=${GUEST_BIND}`,
    `shoal.gw=${GUEST_GATEWAY}`,
    `shoal.port=${spec.address.port}`,
    `shoal.addr=${formatAddress(spec.address)}`,
    `shoal.status_ms=${spec.statusIntervalMs}`,
    `shoal.max=${spec.textBytesMax}`,
  ].join(' ');
}

/**
 * The user ids of VMs: 0x70000000 to 0x7fffffff, a range that neither distributions nor systemd hand out. Twelve bits
 * are drawn from the fleet's name and sixteen from the address, which two living VMs of a fleet never share: no VM
 * can signal or trace another.
 */
export function userOfVm(fleetTag: string, address: Address): number {
  let hash = 0;
  for (const character of fleetTag) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) & 0xfff;
  return 0x70000000 + hash * 0x10000 + (address.id & 0xffff);
}

/** From outside only this port of the guest can be reached; from inside nothing can (`restrict=on`). */
function forward({ ip, port }: Address): string {
  return `hostfwd=tcp:${ip}:${port}-:${port}`;
}

/** A socket for the guest's input, connected only while there is some, and a file that QEMU appends all output to. */
function consoleOf({ consoleIn, consoleOut }: RunPaths): string {
  const input = `socket,id=console,path=${escapeCommas(consoleIn)},server=on,wait=off`;
  return `${input},logfile=${escapeCommas(consoleOut)},logappend=on`;
}

function sandbox(runAs: number | undefined): readonly string[] {
  const rules = 'on,obsolete=deny,spawn=deny,resourcecontrol=deny';
  // With `elevateprivileges=deny` the change of user itself dies of SIGSYS.
  if (runAs === undefined) return ['-sandbox', `${rules},elevateprivileges=deny`];
  return ['-sandbox', rules, '-runas', `${runAs}:${runAs}`];
}

/** In QEMU's option syntax a comma ends a value unless it is doubled. */
function escapeCommas(text: string): string {
  return text.replaceAll(',', ',,');
}
