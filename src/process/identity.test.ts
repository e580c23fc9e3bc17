import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cpuDemandMsOf, findByArgument, identify, isAlive, type ProcessIdentity, probe } from './mod.ts';

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
  const before = cpuDemandMsOf(asleep.identity) ?? 0;
  await expect.poll(() => cpuDemandMsOf(busy.identity), { timeout: 30_000 }).toBeGreaterThan(200);
  expect((cpuDemandMsOf(asleep.identity) ?? 0) - before).toBeLessThan(cpuDemandMsOf(busy.identity) ?? 0);
  await busy.end();
  expect(cpuDemandMsOf(busy.identity)).toBe(0);
});

test('a process of another boot is gone, whoever has its pid now', async () => {
  const { identity } = await started('echo on; exec sleep 600');
  expect(probe(identity)).toBe('alive');
  expect(probe({ ...identity, bootId: 'another' })).toBe('gone');
});

test('a process is known by its start whatever its program is called', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-name-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'a) b (c');
  symlinkSync('/bin/sh', program);
  const child = spawn(program, ['-c', 'echo on; read line'], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? -1);
  const own = identify(process.pid);
  if (identity === undefined || own === undefined) throw new Error('both run');
  expect(identity.startTicks).toBeGreaterThanOrEqual(own.startTicks);
  expect(isAlive(identity)).toBe(true);
});

test('a process is found by an argument, and not by what its program is called', async () => {
  const name = `shoal-test-${process.pid}`;
  const named = spawn('sh', ['-c', 'echo on; read line'], { argv0: name, stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void named.kill('SIGKILL'));
  await once(named.stdout, 'data');
  expect(findByArgument(name)).toBeUndefined();
  const told = spawn('sh', ['-c', 'echo on; read line', 'sh', name], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void told.kill('SIGKILL'));
  await once(told.stdout, 'data');
  expect(findByArgument(name)?.pid).toBe(told.pid);
});
