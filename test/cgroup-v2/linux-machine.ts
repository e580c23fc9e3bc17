import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { QEMU_DEFAULT } from '../../src/hypervisor/mod.ts';
import { writeCpio } from './cpio.ts';
import type { FactLine, Facts } from './facts.ts';
import { rootFiles } from './root-files.ts';

const LINUX = fileURLToPath(new URL('../../.setup/linux/', import.meta.url));
const KERNEL = join(LINUX, 'vmlinuz');
/** Ten times what a quiet machine takes. */
const ENDED_AFTER_MS = 10 * 60_000;
const LOG_LINES = 60;

/** On a busy host the kernel misjudges the speed of an emulated TSC, and its time would run several times too fast. */
const TIME_ARGS = ['clocksource=hpet', 'tsc=unstable'];
const KERNEL_ARGS = ['console=ttyS0', 'panic=-1', 'mitigations=off', 'nokaslr', ...TIME_ARGS];

/**
 * A Linux with cgroup v2 and all rights, which runs the scenario of `inside/`. It is emulated, because nested KVM can be very slow for a
 * kernel, and in one thread, because with several QEMU 7.2 makes the V8 of Node 24 fail its own checks.
 */
export class LinuxMachine implements AsyncDisposable {
  readonly #folder: string;
  readonly #qemu: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #facts = new Map<string, FactLine['value']>();
  #stderr = '';
  #look: () => void = () => undefined;
  #ended = false;

  private constructor(folder: string, qemu: ChildProcess) {
    this.#folder = folder;
    this.#qemu = qemu;
    this.#closed = once(qemu, 'close').then(() => {
      this.#ended = true;
      this.#look();
    });
    qemu.stderr?.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    if (qemu.stdout !== null) createInterface(qemu.stdout).on('line', (line) => this.#read(line));
  }

  static boot(): LinuxMachine {
    if (!existsSync(KERNEL)) throw new Error(`There is no ${KERNEL}; to get it run: node setup/setup.mjs --only linux`);
    const folder = mkdtempSync(join(tmpdir(), 'shoal-linux-'));
    writeCpio(join(folder, 'root.cpio'), rootFiles(LINUX));
    const qemu = spawn(QEMU_DEFAULT, argv(folder), {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: ENDED_AFTER_MS,
      killSignal: 'SIGKILL',
    });
    return new LinuxMachine(folder, qemu);
  }

  /** A finding of the scenario. @throws if the machine ends without it, with its output */
  async fact<Name extends keyof Facts>(name: Name): Promise<Facts[Name]> {
    for (;;) {
      const value = this.#facts.get(name);
      // A line holds a name with the value that belongs to it, as `FactLine` says.
      if (value !== undefined) return value as Facts[Name];
      if (this.#ended)
        throw new Error(`The machine ended without telling \`${name}\`. The end of what it printed:\n${this.#log()}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qemu.kill('SIGKILL');
    await this.#closed;
    rmSync(this.#folder, { recursive: true });
  }

  #read(line: string): void {
    if (!line.startsWith('{')) return;
    // Printed by `inside/main.ts`, which the compiler holds to it.
    const { name, value } = JSON.parse(line) as FactLine;
    this.#facts.set(name, value);
    this.#look();
  }

  #log(): string {
    const path = consoleIn(this.#folder);
    const printed = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LOG_LINES) : [];
    return [...printed, this.#stderr].join('\n');
  }
}

function consoleIn(folder: string): string {
  return join(folder, 'console.log');
}

/** The first serial line is the console of the kernel, the second the output of the scenario. */
function argv(folder: string): string[] {
  return [
    ...['-M', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', '2', '-m', '2048'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
    ...['-kernel', KERNEL, '-initrd', join(folder, 'root.cpio'), '-append', KERNEL_ARGS.join(' ')],
    ...['-serial', `file:${consoleIn(folder)}`, '-serial', 'stdio'],
  ];
}
