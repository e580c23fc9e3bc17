import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endChild, startChild } from './child.ts';
import { DirectLink } from './direct-link.ts';

export interface BareQemuOptions {
  readonly image: string;
  readonly accelerator: string;
  readonly ip: string;
  readonly port: number;
}

/** The same image on a QEMU started by hand. Its console is standard output, which is read. */
export class BareQemu {
  readonly child: ChildProcess;
  readonly #options: BareQemuOptions;

  constructor(options: BareQemuOptions) {
    this.#options = options;
    this.child = startChild('qemu-system-x86_64', argumentsOf(options), { stdio: ['ignore', 'pipe', 'ignore'] });
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

  link(): Promise<DirectLink> {
    return DirectLink.open(this.#options.ip, this.#options.port);
  }

  kill(): Promise<void> {
    return endChild(this.child, 'SIGKILL');
  }
}

function argumentsOf({ image, accelerator, ip, port }: BareQemuOptions): string[] {
  const guest =
    `shoal.id=1 shoal.bind=10.0.2.15/24 shoal.gw=10.0.2.2 shoal.port=${port} ` +
    `shoal.addr=${ip}:${port} shoal.status_ms=1000 shoal.max=1048576`;
  return [
    ...['-M', 'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=on'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-accel', accelerator, '-cpu', 'max,-arch-capabilities', '-m', '16'],
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-kernel', image, '-append', guest, '-serial', 'stdio'],
    ...['-netdev', `user,id=n,restrict=on,hostfwd=tcp:${ip}:${port}-:${port}`, '-device', 'virtio-net-device,netdev=n'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
  ];
}
