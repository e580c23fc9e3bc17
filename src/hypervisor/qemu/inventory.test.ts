import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../actors/mod.ts';
import { bootId, identify, type ProcessIdentity, whenGone } from '../../process/mod.ts';
import type { Manifest } from '../port.ts';
import { Inventory } from './inventory.ts';
import { runPaths } from './run-directory.ts';

const UUID = '00000000-0000-4000-8000-000000000001';
const MONITOR_TIMEOUT_MS = 50;

let directory: string;
let inventory: Inventory;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vms-'));
  inventory = new Inventory(directory, systemClock, MONITOR_TIMEOUT_MS);
  return () => rmSync(directory, { recursive: true, force: true });
});

/** A process that has the arguments by which a QEMU is known. */
async function qemu(vm: number): Promise<ProcessIdentity> {
  const args = ['-uuid', UUID, '-pidfile', runPaths(directory, vm).pid];
  const child = spawn('sh', ['-c', 'echo on; read line', 'qemu', ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? -1);
  if (identity === undefined) throw new Error('it runs');
  return identity;
}

function manifestOf(vm: number, process: ProcessIdentity): Manifest {
  const spec = {
    ...{ vm, address: { id: 1, ip: '127.0.0.1', port: 9000 }, image: '/image', imageDigest: 'digest' },
    ...{ accelerator: 'tcg' as const, memoryMib: 16, statusIntervalMs: 1_000, textBytesMax: 1_000 },
  };
  return { version: 1, spec, uuid: UUID, argvDigest: '', bootId: bootId(), preparedMs: 0, process };
}

function write(vm: number, manifest: Manifest): void {
  const paths = runPaths(directory, vm);
  mkdirSync(paths.directory);
  writeFileSync(paths.manifest, JSON.stringify(manifest));
}

describe('a VM whose process cannot be seen', () => {
  it('is unknown while its monitor is served, and gone once it is not', async () => {
    const process = await qemu(7);
    write(7, manifestOf(7, { ...process, startTicks: process.startTicks + 1 }));
    expect(await inventory.find(7)).toEqual({ kind: 'gone', vm: 7 });
    const monitor = createServer((client) => client.destroy());
    await new Promise<void>((resolve) => monitor.listen(runPaths(directory, 7).qmp, resolve));
    const unknown = { kind: 'unknown', vm: 7, why: expect.stringContaining('another container') };
    expect(await inventory.find(7)).toMatchObject(unknown);
    expect(await inventory.list()).toMatchObject([unknown]);
    await new Promise((resolve) => monitor.close(resolve));
    expect(await inventory.find(7)).toEqual({ kind: 'gone', vm: 7 });
  });
});

describe('a VM whose run directory somebody has removed', () => {
  it('is an orphan while its process lives', async () => {
    const process = await qemu(7);
    const orphan = { kind: 'orphan', vm: 7, directory: runPaths(directory, 7).directory, process };
    expect(await inventory.find(7)).toEqual(orphan);
    expect(await inventory.list()).toEqual([orphan]);
    rmSync(directory, { recursive: true });
    expect(await inventory.list()).toEqual([orphan]);
  });

  it('is one too if only what was in the directory was removed', async () => {
    const process = await qemu(7);
    mkdirSync(runPaths(directory, 7).directory);
    expect(await inventory.list()).toMatchObject([{ kind: 'orphan', process }]);
    writeFileSync(runPaths(directory, 7).stderr, '');
    expect(await inventory.find(7)).toMatchObject({ kind: 'orphan', process });
  });

  it('is gone if its process is', async () => {
    expect(await inventory.find(7)).toBeUndefined();
    mkdirSync(runPaths(directory, 7).directory);
    writeFileSync(runPaths(directory, 7).stderr, '');
    expect(await inventory.find(7)).toEqual({ kind: 'gone', vm: 7 });
  });

  it('is none of ours if its process names a directory elsewhere', async () => {
    await qemu(7);
    const other = new Inventory(join(directory, 'other'), systemClock, MONITOR_TIMEOUT_MS);
    expect(await other.list()).toEqual([]);
  });
});

describe('a VM whose process and manifest are there', () => {
  /** A monitor of QEMU that does with each connection what the test says. */
  async function monitor(vm: number, serve: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      serve(socket);
    });
    await new Promise<void>((resolve) => server.listen(runPaths(directory, vm).qmp, resolve));
    onTestFinished(() => void server.close());
  }

  function answering(socket: Socket): void {
    socket.write('{"QMP": {}}\n');
    socket.on('data', (bytes) => {
      for (const line of String(bytes).trim().split('\n'))
        socket.write(`${JSON.stringify({ id: JSON.parse(line).id, return: { UUID } })}\n`);
    });
  }

  it('is gone if its process ends while its monitor is asked', async () => {
    const process = await qemu(7);
    write(7, manifestOf(7, process));
    await monitor(7, (socket) => {
      kill(process.pid, 'SIGKILL');
      void whenGone(process, 10_000, systemClock).then(() => socket.destroy());
    });
    const patient = new Inventory(directory, systemClock, 20_000);
    expect(await patient.find(7)).toEqual({ kind: 'gone', vm: 7 });
  });

  it('has its process noted if whoever started it could not', async () => {
    const process = await qemu(7);
    const { process: _, ...unnoted } = manifestOf(7, process);
    write(7, unnoted);
    await monitor(7, answering);
    const patient = new Inventory(directory, systemClock, 20_000);
    expect(await patient.find(7)).toMatchObject({ kind: 'running', manifest: { process } });
    expect(JSON.parse(readFileSync(runPaths(directory, 7).manifest, 'utf8'))).toMatchObject({ process });
  });
});

describe('a VM that cannot be looked at', () => {
  it('is unknown, not gone, if its manifest cannot be read', async () => {
    mkdirSync(runPaths(directory, 7).manifest, { recursive: true });
    expect(await inventory.find(7)).toMatchObject({ kind: 'unknown', vm: 7, why: expect.stringContaining('EISDIR') });
    expect(readdirSync(directory)).toEqual(['7']);
  });

  it('is unknown if its process lives and nobody answers on its monitor', async () => {
    write(7, manifestOf(7, await qemu(7)));
    expect(await inventory.find(7)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('cannot be identified'),
    });
  });

  it('is neither gone nor removed by a Shoal that has no descriptor left', async () => {
    const process = await qemu(7);
    write(7, manifestOf(7, process));
    mkdirSync(runPaths(directory, 8).directory);
    writeFileSync(runPaths(directory, 8).stderr, '');
    const script = `
      import { closeSync, openSync } from 'node:fs';
      import { systemClock } from '${join(import.meta.dirname, '../../actors/mod.ts')}';
      import { Inventory } from '${join(import.meta.dirname, 'inventory.ts')}';
      import { processOf } from '${join(import.meta.dirname, 'process-of.ts')}';
      const inventory = new Inventory('${directory}', systemClock, ${MONITOR_TIMEOUT_MS});
      const manifest = ${JSON.stringify(manifestOf(7, process))};
      const codeOf = (look) => Promise.resolve().then(look).then((found) => found?.kind ?? 'none', (error) => error.code);
      await codeOf(() => inventory.list());
      processOf(manifest);
      const files = [];
      try {
        for (;;) files.push(openSync('/dev/null', 'r'));
      } catch {}
      const looks = [() => inventory.list(), () => inventory.find(7), () => inventory.find(8), () => processOf(manifest)];
      const seen = [];
      for (const look of looks) seen.push(await codeOf(look));
      for (const file of files) closeSync(file);
      console.log(JSON.stringify(seen));
    `;
    const shell = ['-c', 'ulimit -n 80; exec "$0" --input-type=module -e "$1"', globalThis.process.execPath, script];
    const { stdout } = await promisify(execFile)('/bin/sh', shell);
    expect(JSON.parse(stdout)).toEqual(['EMFILE', 'unknown', 'unknown', 'EMFILE']);
    expect(readdirSync(directory).sort()).toEqual(['7', '8']);
  });
});
