import type { Clock } from '../../actors/mod.ts';
import type { StopLimits } from '../vm/lifecycle.ts';
import type { VmTable } from './vm-table.ts';

/** What the last stage of a stop may take beyond its limit, before a process is left to the next start. */
const MARGIN_MS = 5_000;

/** Stops all VMs at once. Resolves when they are gone, or after the time that the stages of a stop may take. */
export async function stopAll(
  vms: Pick<VmTable, 'ids' | 'tell' | 'whenAllRemoved'>,
  limits: StopLimits,
  clock: Clock,
): Promise<void> {
  if (vms.ids.length === 0) return;
  const { consoleMs, quitMs, terminateMs, killMs } = limits;
  const limitMs = consoleMs + quitMs + terminateMs + killMs + MARGIN_MS;
  const allGone = vms.whenAllRemoved();
  for (const vm of vms.ids) vms.tell(vm, { kind: 'stop', reason: 'shoal-stopped', why: 'Shoal was stopped' });
  let cancel = (): void => undefined;
  const limit = new Promise<void>((resolve) => {
    cancel = clock.timer(limitMs, resolve);
  });
  await Promise.race([allGone, limit]);
  cancel();
}
