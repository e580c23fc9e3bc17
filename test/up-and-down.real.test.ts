import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive, signalProcess } from '../src/process/mod.ts';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { launcherOf, processesOf } from './driver/processes.ts';
import { SHOAL, ShoalProcess, shoal } from './driver/shoal-process.ts';
import { openFilesOf } from './open-files.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends everything that up started, in order', async (signal) => {
  const fleet = await TestFleet.start({ flags: ['--min', '2'] });
  const before = leftovers(fleet);
  // Two VMs and a nats-server, each with the files and the port that it must not leave behind.
  expect(before.processes).toHaveLength(3);
  const finished = await fleet.stop(signal);
  expect(finished).toMatchObject({ exitCode: 0, signal: null });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('requests in hand are answered before the end', async () => {
  const fleet = await TestFleet.start();
  const send = new ShoalProcess(['send', '--data', fleet.data, '--op', 'spin', '3000']);
  await vmIsBusy(fleet);
  const stopped = fleet.stop();
  expect(await send.finished).toMatchObject({ stdout: 'spun 3000\n', exitCode: 0 });
  expect(await stopped).toMatchObject({ exitCode: 0 });
});

test('a second Ctrl-C waits for nothing, and still leaves nothing behind', async () => {
  // npm hands a Ctrl-C on that the terminal has sent already, so under npm two at once are one; here they are two.
  const fleet = await TestFleet.start({ env: { npm_lifecycle_event: undefined } });
  const send = new ShoalProcess(['send', '--data', fleet.data, '--op', 'spin', '60000', '--deadline', '60000']);
  await vmIsBusy(fleet);
  fleet.up.signal('SIGINT');
  await fleet.up.stderrHas(/once more/);
  const finished = await fleet.stop('SIGINT');
  expect(finished.signal).toBeNull();
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  // Its client was told why, and does not wait for a minute.
  expect(await send.finished).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('shutting down') });
});

test('Ctrl-C while it starts ends what had been started', async () => {
  const data = temporaryFolder();
  const pool = randomPool(2);
  const up = new ShoalProcess(['up', '--data', data, '--pool', pool]);
  await up.stderrHas(/nats-server/);
  up.signal('SIGINT');
  const finished = await up.finished;
  expect(finished).toMatchObject({ exitCode: 0, signal: null });
  expect(finished.stderr).not.toContain('defect');
  expect(leftovers({ data, pool })).toEqual({ processes: [], runDirectories: [], ports: [] });
  rmSync(data, { recursive: true });
});

test('up whose output nobody reads any more still ends what it started', async () => {
  const fleet = await TestFleet.start();
  fleet.up.child.stdout?.destroy();
  fleet.up.child.stderr?.destroy();
  expect(await fleet.stop('SIGTERM')).toMatchObject({ exitCode: 0, signal: null });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('SIGUSR1 opens no debugger and ends nothing', async () => {
  await using fleet = await TestFleet.start();
  const launcher = launcherOf(fleet.up);
  if (launcher === undefined) throw new Error('it runs');
  fleet.up.signal('SIGUSR1');
  signalProcess(launcher, 'SIGUSR1');
  expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n' });
  expect(fleet.up.stderr).not.toContain('Debugger');
  expect(isAlive(launcher)).toBe(true);
  // The launcher's standard error is nobody's; what it listens on it would have said there.
  expect(socketsListening(launcher.pid)).toEqual([]);
});

test('a file that is left open for up reaches no VM, no launcher and no nats-server', async () => {
  const leftOpen = join(temporaryFolder(), 'left open');
  writeFileSync(leftOpen, '');
  // Node itself keeps the lowest descriptors from children.
  const script = `exec 60<'${leftOpen}' 61>>'${leftOpen}'; exec "$@"`;
  await using fleet = await TestFleet.start({ command: '/bin/bash', before: ['-c', script, 'bash', SHOAL] });
  const launcher = launcherOf(fleet.up);
  if (launcher === undefined) throw new Error('it runs');
  const pids = [fleet.up.pid, launcher.pid, ...processesOf(fleet).map(({ identity }) => identity.pid)];
  expect(pids).toHaveLength(4);
  for (const pid of pids) expect(openFilesOf(pid)).not.toContain(leftOpen);
  rmSync(dirname(leftOpen), { recursive: true });
});

test('down does what Ctrl-C does, from elsewhere', async () => {
  const fleet = await TestFleet.start();
  expect(await fleet.run('down')).toMatchObject({ exitCode: 0 });
  expect(await fleet.up.finished).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  expect(await fleet.run('down')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do') });
  await fleet.stop();
});

/** Inodes of the listening TCP sockets of a process. */
function socketsListening(pid: number): string[] {
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map(([, , , , , , , , , inode]) => `socket:[${inode}]`),
  );
  return openFilesOf(pid).filter((target) => listening.includes(target));
}

async function vmIsBusy(fleet: TestFleet): Promise<void> {
  await fleet.until('a VM is busy', ({ vms }) => vms.some((vm) => vm.in_flight > 0));
}

test('down ends a Shoal that is still starting', async () => {
  // A server that never says a word keeps it at its start.
  const mute = createServer();
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  onTestFinished(() => void mute.close());
  // A TCP server has such an address.
  const { port } = mute.address() as AddressInfo;
  const data = temporaryFolder();
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const asked = once(mute, 'connection');
  const up = new ShoalProcess(['up', '--data', data, '--pool', randomPool(1), '--nats', `nats://127.0.0.1:${port}`]);
  await asked;
  expect(await shoal(['down', '--data', data, '--keep-vms'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('DATA_DIR_IN_USE'),
  });
  expect(await shoal(['down', '--data', data])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(up.child.exitCode ?? up.child.signalCode).not.toBeNull();
  await up.finished;
  expect(await shoal(['down', '--data', data])).toMatchObject({ stderr: expect.stringContaining('nothing to do') });
});
