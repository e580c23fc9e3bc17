import { ShoalError } from '../../errors.ts';
import type { Accelerator, QemuBuild, VmNetwork } from '../port.ts';
import type { ImageProfile } from '../profile/profile.ts';
import { QEMU_DEFAULT } from '../qemu/host-tools.ts';

/** `auto`, or a program that somebody named. */
export type QemuOption =
  | 'auto'
  /** @param hasSandbox whether it has a filter of its own; a build without one is taken for a small one */
  | { readonly program: string; readonly hasSandbox: boolean };

export interface QemuFacts {
  /** Path of the small build; undefined if it is not there. */
  readonly small: string | undefined;
  /** Why it cannot be confined here, and what would change that; undefined if it can. */
  readonly obstacle: { readonly why: string; readonly remedy: string } | undefined;
}

/** What the choice hangs on, of the VMs that are to run. */
export interface QemuNeeds {
  readonly accelerator: Accelerator;
  readonly network: VmNetwork;
  readonly profile: Pick<ImageProfile, 'machine'>;
}

/**
 * Chooses the QEMU for VMs of one kind: the small build wherever it can do it.
 * @throws CONFIG_VALUE for a named build that cannot run them; RIGHTS_MISSING for one that cannot be confined
 */
export function chooseQemu(option: QemuOption, facts: QemuFacts, needs: QemuNeeds): QemuBuild {
  if (option !== 'auto') return named(option, facts, needs);
  const why = whyNotSmall(needs) ?? whyAbsent(facts);
  if (why !== undefined || facts.small === undefined) {
    return { program: QEMU_DEFAULT, confinement: 'sandbox', why: `the full build: ${why}` };
  }
  return { program: facts.small, confinement: 'namespaces', why: `the small build: ${SMALL_ENOUGH}` };
}

const SMALL_ENOUGH = 'KVM, no network, and bubblewrap to confine it';

/** What the small build does not have. */
function whyNotSmall({ accelerator, network, profile }: QemuNeeds): string | undefined {
  if (network !== 'none') return `the small one has no network \`${network}\``;
  if (accelerator !== 'kvm') return `the small one has KVM only, not ${accelerator}`;
  if (profile.machine === 'microvm') return undefined;
  return `the small one is for the machine microvm, and the image's profile says ${profile.machine}`;
}

function whyAbsent({ small, obstacle }: QemuFacts): string | undefined {
  if (small === undefined) return 'there is no small one (qemu-system-x86_64-microvm) in PATH';
  return obstacle === undefined ? undefined : `the small one cannot be confined here, because ${obstacle.why}`;
}

function named(
  { program, hasSandbox }: Exclude<QemuOption, 'auto'>,
  { obstacle }: QemuFacts,
  needs: QemuNeeds,
): QemuBuild {
  const why = `asked for by \`--qemu ${program}\``;
  if (hasSandbox) return { program, confinement: 'sandbox', why };
  const cannot = whyNotSmall(needs);
  const details = { program, ...needs };
  if (cannot !== undefined) {
    const remedy = 'use `--network none --accel kvm`, or `--qemu auto`';
    throw new ShoalError(
      'CONFIG_VALUE',
      `${program} is a small build, and cannot run these VMs: ${cannot}; ${remedy}`,
      {
        details,
      },
    );
  }
  if (obstacle === undefined) return { program, confinement: 'namespaces', why };
  throw new ShoalError(
    'RIGHTS_MISSING',
    `${program} has no sandbox of its own, and cannot be confined here, because ${obstacle.why}. Use \`--qemu auto\`, or: ${obstacle.remedy}`,
    { details },
  );
}
