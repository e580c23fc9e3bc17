import { describe, expect, it } from 'vitest';
import type { MachineSpec } from '../port.ts';
import { buildArgv, userOfVm } from './argv.ts';
import { runPaths } from './run-directory.ts';

const SPEC: MachineSpec = {
  vm: 7,
  address: { id: 3, ip: '127.0.10.3', port: 9001 },
  image: '/images/guest.elf',
  imageDigest: '0',
  accelerator: 'tcg',
  memoryMib: 16,
  statusIntervalMs: 500,
  textBytesMax: 4_096,
};

function argv(overrides: Partial<MachineSpec> = {}, runAs?: number, directory = '/run/shoal/f'): readonly string[] {
  return buildArgv({ spec: { ...SPEC, ...overrides }, uuid: 'the-uuid', paths: runPaths(directory, SPEC.vm), runAs });
}

/** What follows an option, each time it is given. */
function values(args: readonly string[], option: string): readonly string[] {
  return args.flatMap((arg, at) => (arg === option ? [args[at + 1] ?? ''] : []));
}

describe('the command line of QEMU', () => {
  it('says whose process it is, and waits with the CPU', () => {
    const args = argv();
    expect(values(args, '-name')).toEqual(['shoal-vm-7']);
    expect(values(args, '-uuid')).toEqual(['the-uuid']);
    expect(values(args, '-pidfile')).toEqual(['/run/shoal/f/7/pid']);
    expect(args).toContain('-S');
  });

  it('ends when its guest resets, instead of starting it again', () => {
    expect(argv()).toContain('-no-reboot');
  });

  it('tells the guest what the contract says', () => {
    expect(values(argv(), '-append')).toEqual([
      'shoal.id=7 shoal.bind=10.0.2.15/24 shoal.gw=10.0.2.2 shoal.port=9001 shoal.addr=127.0.10.3:9001 shoal.status_ms=500 shoal.max=4096',
    ]);
  });

  it('lets nothing reach the guest but its port, and the guest nothing', () => {
    expect(values(argv(), '-netdev')).toEqual(['user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.10.3:9001-:9001']);
  });

  it('gives a guest with a network a virtio console if its image takes one', () => {
    const chardev = 'file,id=lines,path=/run/shoal/f/7/console.log,append=on';
    const devices = ['virtio-serial-device,max_ports=1', 'virtconsole,chardev=lines'];
    const args = argv({ virtioConsole: true });
    expect(values(args, '-chardev')).toContain(chardev);
    expect(values(args, '-device')).toEqual(expect.arrayContaining(devices));
    expect(values(argv(), '-device')).not.toEqual(expect.arrayContaining([devices[0]]));
  });

  it('gives a guest without a network a port, and no network card', () => {
    const args = argv({ network: 'none' });
    expect(values(args, '-netdev')).toEqual([]);
    expect(values(args, '-chardev')).toContain('file,id=lines,path=/run/shoal/f/7/console.log,append=on');
    expect(values(args, '-chardev')).toContain('socket,id=link,path=/run/shoal/f/7/link.sock,server=on,wait=off');
    expect(values(args, '-device')).toEqual([
      'virtio-serial-device,max_ports=2',
      'virtconsole,chardev=lines',
      'virtserialport,chardev=link,name=shoal.link',
      'isa-debug-exit,iobase=0xf4,iosize=0x04',
    ]);
    expect(args).toContain('-nodefaults');
    expect(values(args, '-append')).toEqual([
      'shoal.id=7 shoal.addr=127.0.10.3:9001 shoal.status_ms=500 shoal.max=4096 shoal.link=theuuid',
    ]);
  });

  it('has no monitor and no console but in its directory', () => {
    const args = argv();
    expect(values(args, '-chardev')).toEqual([
      'socket,id=console,path=/run/shoal/f/7/console.sock,server=on,wait=off,logfile=/run/shoal/f/7/console.log,logappend=on',
      'socket,id=monitor,path=/run/shoal/f/7/qmp.sock,server=on,wait=off',
    ]);
    expect(args).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config']));
    expect(args.join(' ')).not.toMatch(/-monitor|-qmp|-vnc|-gdb|-s /);
  });

  it('confines QEMU: as root to a user of the VM, otherwise to the rights it has', () => {
    const root = argv({}, 1_879_048_195);
    expect(values(root, '-sandbox')).toEqual(['on,obsolete=deny,spawn=deny,resourcecontrol=deny']);
    expect(values(root, '-runas')).toEqual(['1879048195:1879048195']);
    const user = argv();
    expect(values(user, '-sandbox')).toEqual([
      'on,obsolete=deny,spawn=deny,resourcecontrol=deny,elevateprivileges=deny',
    ]);
    expect(values(user, '-runas')).toEqual([]);
  });

  it('leaves the sandbox to what confines a small build, and has no device that it lacks', () => {
    const qemu = { program: 'q', confinement: 'namespaces', why: '' } as const;
    const args = argv({ network: 'none', accelerator: 'kvm', qemu }, 1_879_048_195);
    expect(args).not.toContain('-sandbox');
    expect(values(args, '-runas')).toEqual(['1879048195:1879048195']);
    expect(values(args, '-device').join(' ')).not.toContain('isa-debug-exit');
    // Its filter refuses what a QEMU that wants one ends without.
    expect(values(args, '-global')).toContain('virtio-mmio.ioeventfd=off');
    expect(values(argv(), '-global')).toEqual(['virtio-mmio.force-legacy=false']);
  });

  it('bounds the memory that translated code may take', () => {
    expect(values(argv(), '-accel')).toEqual(['tcg,tb-size=32']);
    expect(values(argv({ accelerator: 'kvm' }), '-accel')).toEqual(['kvm']);
  });

  it('doubles commas in paths where QEMU would take them for the next option', () => {
    const [console, monitor] = values(argv({}, undefined, '/run/a,b'), '-chardev');
    expect(monitor).toBe('socket,id=monitor,path=/run/a,,b/7/qmp.sock,server=on,wait=off');
    expect(console).toContain('path=/run/a,,b/7/console.sock,server');
    expect(console).toContain('logfile=/run/a,,b/7/console.log,logappend');
    const port = values(argv({ network: 'none' }, undefined, '/run/a,b'), '-chardev');
    expect(port).toContain('socket,id=link,path=/run/a,,b/7/link.sock,server=on,wait=off');
  });
});

describe('the user of a VM', () => {
  it('lies between 0x70000000 and 0x7fffffff, and differs for each address of a fleet', () => {
    const users = Array.from({ length: 1_000 }, (_, id) => userOfVm('fleet', { ...SPEC.address, id }));
    expect(new Set(users).size).toBe(1_000);
    expect(Math.min(...users)).toBeGreaterThanOrEqual(0x70000000);
    expect(Math.max(...users)).toBeLessThanOrEqual(0x7fffffff);
  });
});
