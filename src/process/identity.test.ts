import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { cpuDemandMsOf, identify, type ProcessIdentity } from './mod.ts';

async function started(script: string): Promise<{ identity: ProcessIdentity; end: () => Promise<void> }> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(end);
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? -1);
  if (identity === undefined) throw new Error('it runs');
  return { identity, end };
}

test('a process that computes wants the CPU ever more, one that sleeps does not, one that is gone wants nothing', async () => {
  const busy = await started('echo on; while :; do :; done');
  const asleep = await started('echo on; exec sleep 600');
  const before = cpuDemandMsOf(asleep.identity);
  await expect.poll(() => cpuDemandMsOf(busy.identity), { timeout: 30_000 }).toBeGreaterThan(200);
  expect(cpuDemandMsOf(asleep.identity) - before).toBeLessThan(cpuDemandMsOf(busy.identity));
  await busy.end();
  expect(cpuDemandMsOf(busy.identity)).toBe(0);
});
