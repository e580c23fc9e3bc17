import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from '../../errors.ts';
import type { HostFacts } from './choose.ts';

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 10_000;

export async function readHostFacts(): Promise<HostFacts> {
  return { kvmUnusable: await whyKvmUnusable(), nested: await isVirtualMachine() };
}

/**
 * A key of everything that a measurement depends on: machine, CPU, kernel and QEMU. It survives a reboot.
 * @param qemu the program
 */
export async function hostKey(qemu: string): Promise<string> {
  const parts = await Promise.all([
    readFile('/etc/machine-id', 'utf8').catch(() => ''),
    cpuModel(),
    readFile('/proc/sys/kernel/osrelease', 'utf8').catch(() => ''),
    run(qemu, ['--version'], { timeout: VERSION_TIMEOUT_MS }).then(
      ({ stdout }) => stdout.split('\n')[0] ?? '',
      () => '',
    ),
  ]);
  return createHash('sha256')
    .update(parts.map((part) => part.trim()).join('\n'))
    .digest('hex');
}

async function whyKvmUnusable(): Promise<string | undefined> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? '/dev/kvm does not exist' : `/dev/kvm: ${code ?? String(error)}`;
  }
}

/** A CPU under a hypervisor has this flag, by which guests detect one. */
async function isVirtualMachine(): Promise<boolean> {
  const flags = /^flags\s*:(.*)$/m.exec(await cpuInfo())?.[1] ?? '';
  return flags.split(' ').includes('hypervisor');
}

async function cpuModel(): Promise<string> {
  return /^model name\s*:(.*)$/m.exec(await cpuInfo())?.[1] ?? '';
}

function cpuInfo(): Promise<string> {
  return readFile('/proc/cpuinfo', 'utf8').catch(() => '');
}
