import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { type FleetPlace, processesOf, tagOf } from './processes.ts';

const started = new Map<string, FleetPlace>();

/** Registers a fleet whose processes are ended after the tests of this file, whatever their result. */
export function willEnd(fleet: FleetPlace): void {
  started.set(fleet.data, fleet);
}

/** Ends the processes of registered fleets that still run, such as those of a fleet whose `up` a failed test has killed. */
export function endLeft(): void {
  for (const fleet of started.values()) {
    for (const { identity } of processesOf(fleet)) signalProcess(identity, 'SIGKILL');
    rmSync(join(runtimeRoot(), tagOf(fleet.data)), { recursive: true, force: true });
  }
  started.clear();
}
