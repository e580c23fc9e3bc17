import type { Address } from '../../fleet/mod.ts';
import { VM_USERS } from '../confinement/vm-users.ts';
import type { MachineSpec } from '../port.ts';
import { expandCommandLine } from '../profile/command-line.ts';
import { type ImageProfile, type MachineType, usesOwnFirmware } from '../profile/profile.ts';
import { powerOffOf, profileOf } from '../profile/shipped.ts';
import { FIRMWARE } from './firmware.ts';
import { linkKeyOf } from './link-key.ts';
import type { RunPaths } from './run-directory.ts';

/** Made as `EXIT_CODE_STOPPED` is. */
export const EXIT_CODE_BAD_ARGUMENT = 69;
export const EXIT_CODE_PANIC = 71;

/**
 * MiB for translated code. QEMU's default is 1 GiB, and a guest could make it use all of that; the built-in image
 * needs about 1 MiB.
 */
const TCG_CACHE_MIB = 32;

/** Of the virtio-serial port, as the guest contract says. */
const PORT_NAME = 'shoal.link';

export interface ArgvOptions {
  readonly spec: MachineSpec;
  readonly uuid: string;
  readonly paths: RunPaths;
  /**
   * The user that QEMU becomes once it has opened its files; undefined if Shoal's user cannot: then QEMU runs as the
   * same user.
   */
  readonly runAs: number | undefined;
}

/** The arguments of QEMU for one VM. `docs/` says what each flag was found to do, and on which host. */
export function buildArgv({ spec, uuid, paths, runAs }: ArgvOptions): readonly string[] {
  const profile = profileOf(spec);
  return [
    // Its identity: these find the process again even if Shoal dies between the start and its note of the pid.
    ...['-name', `shoal-vm-${spec.vm}`, '-uuid', uuid, '-pidfile', paths.pid],
    // The CPU waits for QMP `cont`, so that the guest prints nothing before Shoal listens.
    '-S',
    ...machineOptions(profile),
    ...['-accel', spec.accelerator === 'tcg' ? `tcg,tb-size=${TCG_CACHE_MIB}` : 'kvm'],
    // Plain `max` and `host` abort under nested KVM that lacks MSR 0x10a.
    ...['-cpu', 'max,-arch-capabilities'],
    ...['-m', String(spec.memoryMib), '-smp', '1'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...(profile.machine === 'microvm' ? ['-global', 'virtio-mmio.force-legacy=false'] : []),
    // A guest's kick is handled by the thread of its CPU. The filter of a small build keeps it from asking for more.
    ...(spec.qemu?.confinement === 'namespaces' ? ['-global', 'virtio-mmio.ioeventfd=off'] : []),
    ...['-chardev', consoleOf(paths)],
    ...['-serial', 'chardev:console'],
    // The monitor is a UNIX socket in a directory of mode 0700; there is none on TCP.
    ...['-chardev', `socket,id=monitor,path=${escapeCommas(paths.qmp)},server=on,wait=off`],
    ...['-mon', 'chardev=monitor,mode=control'],
    ...(spec.network === 'none' ? portOptions(paths, profile.machine) : cardOptions(spec, profile, paths)),
    // A clean stop has an exit code of its own; a triple fault exits with 0.
    ...(powerOffOf(spec).by === 'isa-debug-exit' ? ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'] : []),
    ...(spec.qemu?.confinement === 'namespaces' ? runAsOptions(runAs) : sandbox(runAs)),
    ...bootOptions(spec, profile, uuid),
  ];
}

function cardOptions(spec: MachineSpec, { networkDevice }: ImageProfile, { consoleOut }: RunPaths): readonly string[] {
  return [
    ...['-netdev', `user,id=net,restrict=on,ipv6=off,${forward(spec.address)}`],
    ...['-device', NETWORK_OPTIONS[networkDevice]],
    ...(spec.virtioConsole === true
      ? ['-device', 'virtio-serial-device,max_ports=1', ...virtioConsole(consoleOut)]
      : []),
  ];
}

/** In the place of the UART: a line costs one exit there, and not one for each byte. Both append to the same file. */
function virtioConsole(output: string): readonly string[] {
  return ['-chardev', `file,id=lines,path=${escapeCommas(output)},append=on`, '-device', 'virtconsole,chardev=lines'];
}

/** A port for the link, and no network card at all: `-nodefaults` takes away the one that QEMU would add. */
function portOptions({ link, consoleOut }: RunPaths, machine: MachineType): readonly string[] {
  return [
    ...['-chardev', `socket,id=link,path=${escapeCommas(link)},server=on,wait=off`],
    ...['-device', `${machine === 'microvm' ? 'virtio-serial-device' : 'virtio-serial-pci'},max_ports=2`],
    ...virtioConsole(consoleOut),
    ...['-device', `virtserialport,chardev=link,name=${PORT_NAME}`],
  ];
}

const MACHINE_OPTIONS: Readonly<Record<MachineType, string>> = {
  microvm: 'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=on',
  pc: 'pc,usb=off,vmport=off',
  q35: 'q35,usb=off,vmport=off',
};

/** Shoal's own firmware looks for no other that QEMU could load beside it. */
function machineOptions(profile: ImageProfile): readonly string[] {
  const machine = MACHINE_OPTIONS[profile.machine];
  return usesOwnFirmware(profile) ? ['-M', `${machine},x-option-roms=off`, '-bios', FIRMWARE] : ['-M', machine];
}

const NETWORK_OPTIONS: Readonly<Record<ImageProfile['networkDevice'], string>> = {
  'virtio-net-device': 'virtio-net-device,netdev=net',
  // Without a ROM for booting from the network, which would take memory and time.
  'virtio-net-pci': 'virtio-net-pci,netdev=net,romfile=',
};

function bootOptions(spec: MachineSpec, { boot }: ImageProfile, uuid: string): readonly string[] {
  const { image, companion } = spec;
  const words = guestCommandLine(spec, uuid);
  if (boot === 'chainloader') {
    // The image is the loader's module. Its command line stands after its path, in which no blank may be.
    const loader = companion?.path ?? image;
    return ['-kernel', loader, '-append', 'x', '-initrd', escapeCommas(`${image} ${words}`.trimEnd())];
  }
  const initrd = companion === undefined ? [] : ['-initrd', initrdPath(companion.path, boot)];
  return ['-kernel', image, '-append', words, ...initrd];
}

/** Only a multiboot loader takes a list of modules, which commas divide. */
function initrdPath(path: string, boot: ImageProfile['boot']): string {
  return boot === 'multiboot' ? escapeCommas(path) : path;
}

/** The guest's command line, by the template of its profile; without a network, a key in the place of what it says of one. */
export function guestCommandLine(spec: MachineSpec, uuid: string): string {
  const words = expandCommandLine(profileOf(spec).commandLine, spec);
  if (spec.network !== 'none') return words;
  const others = words.split(' ').filter((word) => !OF_NETWORKS.test(word));
  return [...others, `shoal.link=${linkKeyOf(uuid)}`].join(' ');
}

const OF_NETWORKS = /^shoal\.(?:bind|gw|port)=/;

/**
 * One of `VM_USERS`. Twelve bits are drawn from the fleet's name and sixteen from the address, which two living VMs of a fleet never share: no VM
 * can signal or trace another.
 */
export function userOfVm(fleetTag: string, address: Address): number {
  let hash = 0;
  for (const character of fleetTag) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) & 0xfff;
  return VM_USERS.first + hash * 0x10000 + (address.id & 0xffff);
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
  return ['-sandbox', rules, ...runAsOptions(runAs)];
}

function runAsOptions(runAs: number | undefined): readonly string[] {
  return runAs === undefined ? [] : ['-runas', `${runAs}:${runAs}`];
}

/** In QEMU's option syntax a comma ends a value unless it is doubled. */
function escapeCommas(text: string): string {
  return text.replaceAll(',', ',,');
}
