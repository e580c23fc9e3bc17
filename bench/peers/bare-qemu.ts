import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/actors/mod.ts';
import { GuestClient, PortConnection } from '../../src/hypervisor/mod.ts';
import { endChild, startChild } from './child.ts';
import { DirectLink } from './direct-link.ts';

export interface BareQemuOptions {
  readonly image: string;
  readonly accelerator: string;
  readonly ip: string;
  readonly port: number;
  /** The small build, without a network: its link is a port. Default: the full one, which forwards the address. */
  readonly isSmall?: boolean;
}

/** What a client of a bare QEMU can do. */
export interface BareLink {
  request(text: string): Promise<string>;
  close(): void;
}

/** The same image on a QEMU started by hand. Its console is standard output, which is read. */
export class BareQemu {
  readonly child: ChildProcess;
  readonly #options: BareQemuOptions;
  readonly #socket = join('/dev/shm', `shoal-bare-${process.pid}-${++made}`);

  constructor(options: BareQemuOptions) {
    this.#options = options;
    const program = options.isSmall === true ? 'qemu-system-x86_64-microvm' : 'qemu-system-x86_64';
    const args = argumentsOf(options, this.#socket);
    this.child = startChild(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Resolves when the guest has said that it is ready. */
  async ready(): Promise<void> {
    if (this.child.stdout === null) throw new Error('no console');
    for await (const line of createInterface({ input: this.child.stdout })) {
      if (!line.startsWith('shoal1 ready')) continue;
      // An unread console would soon be full, and its guest would print no more reports.
      this.child.stdout.resume();
      return;
    }
    throw new Error('the guest ended before it was ready');
  }

  async link(): Promise<BareLink> {
    const { isSmall, ip, port } = this.#options;
    if (isSmall !== true) return DirectLink.open(ip, port);
    const client = await GuestClient.open(new PortConnection(this.#socket, KEY, systemClock), LINK_MS);
    return { request: (text) => client.request('', text, LINK_MS), close: () => client.close() };
  }

  async kill(): Promise<void> {
    await endChild(this.child, 'SIGKILL');
    rmSync(this.#socket, { force: true });
  }
}

let made = 0;
const KEY = '0123456789abcdef0123456789abcdef';
const LINK_MS = 30_000;

function argumentsOf({ image, accelerator, ip, port, isSmall }: BareQemuOptions, socket: string): string[] {
  const common = `shoal.id=1 shoal.addr=${ip}:${port} shoal.status_ms=1000 shoal.max=1048576`;
  const guest =
    isSmall === true
      ? `${common} shoal.link=${KEY}`
      : `${common} shoal.bind=10.0.2.15/24 shoal.gw=10.0.2.2 shoal.port=${port}`;
  return [
    ...['-M', 'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=on'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-accel', accelerator, '-cpu', 'max,-arch-capabilities', '-m', '16'],
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-kernel', image, '-append', guest, '-serial', 'stdio'],
    ...(isSmall === true ? portOf(socket) : cardOf(ip, port)),
  ];
}

function cardOf(ip: string, port: number): readonly string[] {
  const netdev = `user,id=n,restrict=on,hostfwd=tcp:${ip}:${port}-:${port}`;
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  return ['-netdev', netdev, '-device', 'virtio-net-device,netdev=n', ...exit];
}

function portOf(socket: string): readonly string[] {
  return [
    ...['-chardev', `socket,id=link,path=${socket},server=on,wait=off`],
    ...['-device', 'virtio-serial-device,max_ports=2', '-device', 'virtserialport,chardev=link,name=shoal.link'],
  ];
}
