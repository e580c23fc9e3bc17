import {
  checkProgram,
  chooseQemu,
  hasSandbox,
  type QemuBuild,
  type QemuNeeds,
  type QemuOption,
  readQemuFacts,
  type VmNetwork,
} from '../hypervisor/mod.ts';
import type { UpOptions } from './up-options.ts';

/** The QEMU for VMs with that profile, under that accelerator; undefined on a host without VMs. @throws as `chooseQemu` */
export type QemuOf = (needs: Omit<QemuNeeds, 'network'>) => QemuBuild | undefined;

/** Looks at what is there, once for a whole run, by `--qemu`. @throws QEMU_MISSING */
export async function qemuChooser(
  { qemu = 'auto', role }: Pick<UpOptions, 'qemu' | 'role'>,
  network: VmNetwork,
): Promise<QemuOf> {
  if (role === 'server') return () => undefined;
  // Otherwise it would be taken for a build without a sandbox.
  if (qemu !== 'auto') checkProgram(qemu);
  const option: QemuOption = qemu === 'auto' ? qemu : { program: qemu, hasSandbox: await hasSandbox(qemu) };
  // Nothing is tried out whose result cannot matter.
  const matters = option === 'auto' ? network === 'none' : !option.hasSandbox;
  const facts = matters ? await readQemuFacts(option === 'auto' ? undefined : option.program) : NOTHING;
  return (needs) => chooseQemu(option, facts, { ...needs, network });
}

const NOTHING = { small: undefined, obstacle: undefined };
