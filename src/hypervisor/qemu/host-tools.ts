import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { codeOf, ShoalError } from '../../errors.ts';
import { isProgram } from '../../process/mod.ts';
import { BWRAP } from '../confinement/bwrap.ts';
import type { Accelerator, QemuBuild, VmNetwork } from '../port.ts';
import type { ImageProfile } from '../profile/profile.ts';

export const QEMU_DEFAULT = 'qemu-system-x86_64';

/** The first program of that name in PATH, or the path itself if it can be run. */
export function findProgram(nameOrPath: string, path = process.env['PATH'] ?? ''): string | undefined {
  const candidates = nameOrPath.includes('/')
    ? [nameOrPath]
    : path.split(delimiter).map((folder) => join(folder, nameOrPath));
  return candidates.find(isProgram);
}

/** @throws QEMU_MISSING for it or for what confines it */
export function checkQemu({ program, confinement }: Omit<QemuBuild, 'why'>): void {
  const needed = confinement === 'namespaces' ? [program, BWRAP] : [program];
  const missing = needed.find((one) => findProgram(one) === undefined);
  if (missing !== undefined) throw qemuMissing(missing, undefined);
}

/** Looks for the program of a `--qemu`. @throws QEMU_MISSING */
export function checkProgram(program: string): void {
  if (findProgram(program) !== undefined) return;
  throw new ShoalError(
    'QEMU_MISSING',
    `The program ${program} was not found or cannot be run: name another with \`--qemu\`, or leave it out`,
    { details: { program } },
  );
}

/** @throws RIGHTS_MISSING */
export function checkAccelerator(accelerator: Accelerator): void {
  if (accelerator === 'tcg') return;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new ShoalError(
      'RIGHTS_MISSING',
      `/dev/kvm cannot be used (${codeOf(cause)}). Use \`--accel tcg\`, or join the group of /dev/kvm`,
      {
        cause,
        details: { path: '/dev/kvm' },
      },
    );
  }
}

/** @param image its path, for the error @throws CONFIG_VALUE if the image does not run under it */
export function checkAllowed(accelerator: Accelerator, { accelerators }: ImageProfile, image: string): void {
  if (accelerators.includes(accelerator)) return;
  const allowed = accelerators.join(' and ');
  throw new ShoalError(
    'CONFIG_VALUE',
    `The profile of ${image} allows ${allowed}, not ${accelerator}: use \`--accel ${accelerators[0]}\`, or add it to \`accelerators\` in the profile`,
    { details: { image, accelerator, accelerators: [...accelerators] } },
  );
}

/** @param image its path, for the error @throws CONFIG_VALUE if the guest cannot be reached that way */
export function checkNetwork(network: VmNetwork | undefined, { protocol }: ImageProfile, image: string): void {
  if (network !== 'none' || protocol === 'frames') return;
  throw new ShoalError(
    'CONFIG_VALUE',
    `The profile of ${image} says protocol "${protocol}", which needs a network: leave out \`--network none\``,
    { details: { image, network, protocol } },
  );
}

export function qemuMissing(qemu: string, cause: unknown): ShoalError {
  return new ShoalError(
    'QEMU_MISSING',
    `The program ${qemu} was not found or cannot be run. Install it with: apt-get install ${qemu === BWRAP ? 'bubblewrap' : 'qemu-system-x86'}`,
    {
      cause,
      details: { program: qemu },
    },
  );
}
