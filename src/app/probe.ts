import { clearFound, createQemuHypervisor, type Hypervisor } from '../hypervisor/mod.ts';
import type { Spawner } from '../process/mod.ts';

/** The name of the run directories of VMs that are only tried, so that no Shoal adopts them. */
export function probeTagOf(tag: string): string {
  return `${tag}-probe`;
}

/** Makes VMs that are only tried. Those that a Shoal has left, because it was killed meanwhile, are ended first. */
export async function openProbe(tag: string, spawner: Spawner): Promise<Hypervisor> {
  const probe = createQemuHypervisor({ fleetTag: probeTagOf(tag), spawner });
  await endAll(probe);
  return probe;
}

/** Ends all VMs that it has, and removes what is left of them. What cannot be identified, or does not end, stays. */
export async function endAll(hypervisor: Hypervisor): Promise<void> {
  for (const found of await hypervisor.list()) await clearFound(hypervisor, found);
}
