import { realpathSync } from 'node:fs';
import { createQemuHypervisor } from '../hypervisor/mod.ts';
import { createLauncher } from '../process/mod.ts';
import { tagOf } from './data-dir.ts';

/** The VMs that run though the Shoal on their data directory was killed. It looks, and touches nothing. */
export async function vmsLeftRunning(directory: string): Promise<number> {
  const path = realPathOf(directory);
  if (path === undefined) return 0;
  // Nothing is started by looking, so no launcher comes up.
  const launcher = createLauncher();
  try {
    const found = await createQemuHypervisor({ fleetTag: tagOf(path), spawner: launcher }).list();
    return found.filter(({ kind }) => kind === 'running').length;
  } finally {
    await launcher.close();
  }
}

function realPathOf(directory: string): string | undefined {
  try {
    return realpathSync(directory);
  } catch {
    return undefined;
  }
}
