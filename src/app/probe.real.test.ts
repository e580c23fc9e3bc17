import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { createQemuHypervisor, loadImage, runtimeRoot, specOfImage } from '../hypervisor/mod.ts';
import { createLauncher, signalProcess, whenGone } from '../process/mod.ts';
import { freeAddress } from './image-check.ts';
import { defaultImage } from './paths.ts';
import { openProbe, probeTagOf } from './probe.ts';

const LONG_MS = 60_000;

test('a VM that a killed Shoal has tried is ended by the next one that tries some', async () => {
  const launcher = createLauncher();
  onTestFinished(() => launcher.close());
  const tag = `probe-test-${process.pid}`;
  const fleetTag = probeTagOf(tag);
  onTestFinished(() => rmSync(join(runtimeRoot(), fleetTag), { recursive: true, force: true }));
  const machine = await createQemuHypervisor({ fleetTag, spawner: launcher }).prepare({
    ...{ vm: 1, address: await freeAddress(), ...specOfImage(await loadImage(defaultImage())) },
    ...{ accelerator: 'tcg', statusIntervalMs: 1_000, textBytesMax: 1_000 },
  });
  onTestFinished(() => void signalProcess(machine.process, 'SIGKILL'));
  // As by the death of its Shoal.
  await machine.release();
  const probe = await openProbe(tag, launcher);
  expect(await whenGone(machine.process, LONG_MS, systemClock)).toBe(true);
  expect(await probe.list()).toEqual([]);
});
