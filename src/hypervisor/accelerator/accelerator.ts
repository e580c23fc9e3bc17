import { type Clock, systemClock } from '../../actors/mod.ts';
import { toEnvelope } from '../../errors.ts';
import type { Address } from '../../fleet/mod.ts';
import { isRecord } from '../../is-record.ts';
import { readPlainFile } from '../../plain-file.ts';
import { writeDurable } from '../../process/mod.ts';
import type { Accelerator, Hypervisor, MachineSpec, QemuBuild, VmNetwork } from '../port.ts';
import { checkAllowed } from '../qemu/host-tools.ts';
import { type ImageInfo, specOfImage } from '../qemu/image.ts';
import {
  type AcceleratorChoice,
  type AcceleratorOption,
  chooseByFacts,
  chooseByMeasurement,
  chooseByProfile,
  type HostFacts,
} from './choose.ts';
import { hostKey, readHostFacts } from './host-facts.ts';
import { measure } from './measure.ts';

export interface AcceleratorProbe {
  readonly option: AcceleratorOption;
  readonly image: ImageInfo;
  /** That of the VMs to come; absent: `user`. */
  readonly network?: VmNetwork;
  /** The program, by whose version results are kept. */
  readonly qemu: string;
  /** The QEMU of the VMs to come; absent: the full build. */
  readonly qemuOf?: (accelerator: Accelerator) => QemuBuild | undefined;
  /** A JSON file in which results are kept, one for each host and image. */
  readonly memoryPath: string;
  /** With a fleet tag of its own, because probed VMs belong to no fleet. */
  readonly hypervisor: Hypervisor;
  /** A free address; used only if something has to be measured. */
  readonly address: Address;
  readonly clock?: Clock;
  /** Default: this host's. */
  readonly facts?: HostFacts;
}

/**
 * Resolves `--accel` for this host and this image. `auto` measures at most once for each pair, and only where KVM is
 * nested in a virtual machine. An image that does not work under nested KVM gets TCG, and is measured again the next
 * time: the failure may have been momentary.
 * @throws what `prepare` throws, LINK_LOST, VM_BOOT_TIMEOUT if the image does not work under TCG either
 */
export async function chooseAccelerator(probe: AcceleratorProbe): Promise<AcceleratorChoice> {
  const { option, image } = probe;
  if (option !== 'auto') {
    checkAllowed(option, image.profile, image.path);
    return { accelerator: option, why: `asked for by \`--accel ${option}\`` };
  }
  const before = await recallAccelerator(probe);
  if (before !== undefined) return before;
  const { choice, measured } = await probeBoth(probe);
  if (measured) await remember(probe, choice);
  return choice;
}

/**
 * Resolves `auto` without measuring, by the profile, by facts about the host or by an earlier measurement; undefined
 * if there is none of them.
 * @throws RIGHTS_MISSING if the image runs only under an accelerator that cannot be used
 */
export async function recallAccelerator(
  probe: Pick<AcceleratorProbe, 'image' | 'network' | 'qemu' | 'memoryPath' | 'facts'>,
): Promise<AcceleratorChoice | undefined> {
  const facts = probe.facts ?? (await readHostFacts());
  const known = chooseByProfile(probe.image, facts) ?? chooseByFacts(facts);
  if (known !== undefined) return known;
  return (await recall(probe.memoryPath))[await keyOf(probe)];
}

async function remember(probe: AcceleratorProbe, choice: AcceleratorChoice): Promise<void> {
  const remembered = await recall(probe.memoryPath);
  const key = await keyOf(probe);
  const text = `${JSON.stringify({ ...remembered, [key]: choice }, undefined, 2)}\n`;
  // If the result cannot be kept, the next start measures again.
  await writeDurable(probe.memoryPath, text).catch(() => undefined);
}

async function keyOf({ qemu, image, network }: Pick<AcceleratorProbe, 'image' | 'network' | 'qemu'>): Promise<string> {
  const over = network === 'none' ? ':none' : '';
  return `${await hostKey(qemu)}:${image.digest}${over}`;
}

async function probeBoth(probe: AcceleratorProbe): Promise<{ choice: AcceleratorChoice; measured: boolean }> {
  const { image, network, hypervisor, address } = probe;
  const clock = probe.clock ?? systemClock;
  const specOf = (accelerator: Accelerator): MachineSpec => ({
    vm: clock.now(),
    address,
    accelerator,
    qemu: probe.qemuOf?.(accelerator),
    ...specOfImage(image),
    ...(network === undefined ? {} : { network }),
    statusIntervalMs: 1_000,
    textBytesMax: TEXT_BYTES_MAX,
  });
  // One after the other: side by side each would slow the other down.
  const tcg = await measure(hypervisor, specOf('tcg'), clock);
  try {
    const kvm = await measure(hypervisor, specOf('kvm'), clock);
    return { choice: chooseByMeasurement(kvm, tcg), measured: true };
  } catch (error) {
    const why = `the image does not work under this host's KVM: ${toEnvelope(error).message}. TCG is no security boundary`;
    return { choice: { accelerator: 'tcg', why }, measured: false };
  }
}

const TEXT_BYTES_MAX = 64 * 1024;

/** A damaged file counts as none: the next start measures again. */
async function recall(path: string): Promise<Readonly<Record<string, AcceleratorChoice>>> {
  let value: unknown;
  try {
    value = JSON.parse((await readPlainFile(path)).toString());
  } catch {
    return {};
  }
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, AcceleratorChoice] => isChoice(entry[1])),
  );
}

function isChoice(value: unknown): value is AcceleratorChoice {
  if (!isRecord(value)) return false;
  const { accelerator, why } = value;
  return (accelerator === 'kvm' || accelerator === 'tcg') && typeof why === 'string';
}
