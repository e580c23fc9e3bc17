import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { type FleetPlace, processesOf, tagOf } from './processes.ts';

const started = new Map<string, FleetPlace>();

/** What stands there is ended after the tests of this file, whatever they came to. */
export function willEnd(fleet: FleetPlace): void {
  started.set(fleet.data, fleet);
}

/** Ends the processes of fleets whose `up` can no longer do so, because a test that failed has killed it; nothing for all others. */
export function endLeft(): void {
  for (const fleet of started.values()) {
    for (const { identity } of processesOf(fleet)) signalProcess(identity, 'SIGKILL');
    rmSync(join(runtimeRoot(), tagOf(fleet.data)), { recursive: true, force: true });
  }
  started.clear();
}
