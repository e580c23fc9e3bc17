import { expect, test } from 'vitest';
import type { MachineSpec, VmNetwork } from '../port.ts';
import { parseProfile } from '../profile/parse-profile.ts';
import { buildArgv } from './argv.ts';
import { FIRMWARE } from './firmware.ts';
import { runPaths } from './run-directory.ts';

function argv(profile: object, companion?: string, network: VmNetwork = 'user'): readonly string[] {
  const spec: MachineSpec = {
    vm: 7,
    address: { id: 3, ip: '127.0.10.3', port: 9001 },
    image: '/images/a,b',
    imageDigest: '0',
    profile: parseProfile(profile, 'test'),
    companion: companion === undefined ? undefined : { path: companion, digest: '1' },
    network,
    accelerator: 'tcg',
    memoryMib: 32,
    statusIntervalMs: 500,
    textBytesMax: 4_096,
  };
  return buildArgv({ spec, uuid: 'the-uuid', paths: runPaths('/run/shoal/f', 7), runAs: undefined });
}

/** What follows an option, each time it is given. */
function values(args: readonly string[], option: string): readonly string[] {
  return args.flatMap((arg, at) => (arg === option ? [args[at + 1] ?? ''] : []));
}

test('the machine pc has PCI and no option of microvm', () => {
  const args = argv({ machine: 'pc', boot: 'multiboot' });
  expect(values(args, '-M')).toEqual(['pc,usb=off,vmport=off']);
  expect(values(args, '-device')).toContain('virtio-net-pci,netdev=net,romfile=');
  expect(values(args, '-global')).toEqual([]);
  expect(values(args, '-m')).toEqual(['32']);
  expect(values(args, '-kernel')).toEqual(['/images/a,b']);
  expect(values(args, '-initrd')).toEqual([]);
});

test.each([
  [{}, [FIRMWARE]],
  [{ firmware: 'shoal' }, [FIRMWARE]],
  [{ firmware: 'qemu' }, []],
  [{ machine: 'pc', boot: 'multiboot' }, []],
  [{ boot: 'linux' }, []],
  [{ machine: 'q35', boot: 'pvh' }, []],
])('the machine of the profile %j starts with the firmware %j', (profile, firmware) => {
  const args = argv(profile);
  expect(values(args, '-bios')).toEqual(firmware);
  // Nobody runs another firmware's parts, so none is loaded.
  expect(values(args, '-M').join().includes(',x-option-roms=off')).toBe(firmware.length > 0);
});

test('a chainloader is the kernel, and loads the image, whose command line stands after its path', () => {
  const profile = { machine: 'q35', boot: 'chainloader', chainloader: 'chain', commandLine: 'id={id},{port}' };
  const args = argv(profile, '/images/chain');
  expect(values(args, '-kernel')).toEqual(['/images/chain']);
  expect(values(args, '-append')).toEqual(['x']);
  expect(values(args, '-initrd')).toEqual(['/images/a,,b id=7,,9001']);
});

test('Linux gets its initial ramdisk and its command line by the template', () => {
  const profile = { machine: 'pc', boot: 'linux', initrd: 'i', commandLine: 'ip={ip}::{gw}:{netmask} {addr} {bind}' };
  const args = argv(profile, '/images/i,1');
  expect(values(args, '-initrd')).toEqual(['/images/i,1']);
  expect(values(args, '-append')).toEqual(['ip=10.0.2.15::10.0.2.2:255.255.255.0 127.0.10.3:9001 10.0.2.15/24']);
});

test('a list of modules is divided by commas, so the only one has its own doubled', () => {
  const args = argv({ machine: 'pc', boot: 'multiboot', initrd: 'i' }, '/images/i,1');
  expect(values(args, '-initrd')).toEqual(['/images/i,,1']);
});

test('a machine with PCI has its port there', () => {
  const args = argv({ machine: 'q35', boot: 'multiboot' }, undefined, 'none');
  expect(values(args, '-device')).toContain('virtio-serial-pci,max_ports=2');
});

test('without a network the guest is told no words of one, and all others', () => {
  const args = argv(
    { commandLine: 'my.shoal.port=1 shoal.port={port} shoal.gw={gw} shoal.id={id}' },
    undefined,
    'none',
  );
  expect(values(args, '-append')).toEqual(['my.shoal.port=1 shoal.id=7 shoal.link=theuuid']);
});

test('a guest that powers off otherwise has no device for it', () => {
  expect(values(argv({ powerOff: { by: 'exit' } }), '-device')).toEqual(['virtio-net-device,netdev=net']);
});
