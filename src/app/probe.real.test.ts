import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { createQemuHypervisor, runtimeRoot } from '../hypervisor/mod.ts';
import { realHypervisor } from '../hypervisor/testing/mod.ts';
import { signalProcess, whenGone } from '../process/mod.ts';
import { openProbe, probeTagOf } from './probe.ts';

const LONG_MS = 60_000;

test('a VM that a killed Shoal has tried is ended by the next one that tries some', async () => {
  await using real = await realHypervisor();
  const tag = `probe-test-${process.pid}`;
  const fleetTag = probeTagOf(tag);
  const machine = await createQemuHypervisor({ fleetTag, spawner: real.launcher }).prepare(await real.spec());
  onTestFinished(() => {
    signalProcess(machine.process, 'SIGKILL');
    rmSync(join(runtimeRoot(), fleetTag), { recursive: true, force: true });
  });
  // As by the death of its Shoal.
  await machine.release();
  const probe = await openProbe(tag, real.launcher);
  expect(await whenGone(machine.process, LONG_MS, systemClock)).toBe(true);
  expect(await probe.list()).toEqual([]);
});
