import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFilesOf } from '../../test/open-files.ts';
import { systemClock } from '../actors/mod.ts';
import { type Spawner, signalProcess, whenGone } from '../process/mod.ts';
import { inspectImage } from './mod.ts';
import {
  exitOf,
  heard,
  realHypervisor,
  runDirectoryOf,
  started,
  statusOf,
  TEST_GUEST_IMAGE,
  usableAccelerators,
} from './testing/mod.ts';

/** Generous: it is only reached when something is wrong. */
const LONG_MS = 30_000;

/** The local addresses (`IP:PORT`) on which a process listens, as /proc/net/tcp has them. */
function listenersOf(pid: number): readonly string[] {
  const inodes = new Set(openFilesOf(pid).flatMap((file) => /^socket:\[(\d+)\]$/.exec(file)?.[1] ?? []));
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9] ?? ''))
      .map((fields) => decode(fields[1] ?? '')),
  );
}

function decode(hex: string): string {
  const [ip = '', port = ''] = hex.split(':');
  const bytes = Buffer.from(ip, 'hex').reverse();
  return `${[...bytes].join('.')}:${Number.parseInt(port, 16)}`;
}

describe.each(usableAccelerators())('a machine under %s', (accelerator) => {
  it('loses no byte of its console, from the first on', async () => {
    await using real = await realHypervisor();
    const machine = await real.hypervisor.prepare(await real.spec({ accelerator }));
    const chunks: Buffer[] = [];
    const ready = new Promise<string>((resolve) => {
      machine.onConsole((bytes) => {
        chunks.push(Buffer.from(bytes));
        const text = Buffer.concat(chunks).toString();
        if (/status .*\n/.test(text)) resolve(text);
      });
    });
    await machine.start();
    expect(await ready).toMatch(/^\nshoal1 ready v=1 bind=10\.0\.2\.15\/24 .*\n\nshoal1 status seq=1 .*\n/);
  });

  it('is confined: a user of its own, no capability, no new privileges, seccomp, and no door but its address', async () => {
    await using real = await realHypervisor();
    const specs = [await real.spec({ accelerator }), await real.spec({ accelerator })];
    const machines = [];
    for (const spec of specs) machines.push((await started(real, spec)).machine);
    const users = new Set<string>();
    for (const [at, machine] of machines.entries()) {
      const { pid } = machine.process;
      const status = statusOf(pid);
      expect(status.get('CapEff')).toMatch(/^0+$/);
      expect(status.get('CapPrm')).toMatch(/^0+$/);
      expect(status.get('NoNewPrivs')).toBe('1');
      expect(status.get('Seccomp')).toBe('2');
      const uids = status.get('Uid')?.split('\t') ?? [];
      const gids = status.get('Gid')?.split('\t') ?? [];
      if (process.getuid?.() === 0) {
        // Real, effective, saved and file system user alike, and no group left of root's.
        expect(new Set([...uids, ...gids, status.get('Groups')]).size).toBe(1);
        expect(Number(uids[0])).toBeGreaterThanOrEqual(0x70000000);
        users.add(uids[0] ?? '');
      }
      const spec = specs[at];
      expect(listenersOf(pid)).toEqual([`${spec?.address.ip}:${spec?.address.port}`]);
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      expect(argv[argv.indexOf('-netdev') + 1]).toMatch(/^user,id=net,restrict=on,/);
      expect(statSync(runDirectoryOf(real, spec?.vm ?? 0)).mode & 0o777).toBe(0o700);
    }
    if (process.getuid?.() === 0) expect(users.size).toBe(2);
  });

  it('that panics tells of it behind all that it has said before, in lines of their own', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    // What is said goes through one device, and the panic through another one; both are written to one file.
    for (let round = 0; round < 5; round += 1) {
      const spec = await real.spec({ accelerator });
      const { machine, client } = await started(real, spec);
      const exit = exitOf(machine);
      client.request('crash', 'loud', LONG_MS).catch(() => undefined);
      await exit;
      const said = readFileSync(join(runDirectoryOf(real, spec.vm), 'console.log'), 'latin1');
      const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`.padEnd(63, '.'));
      const panic = said.indexOf('\npanic: exception 14 ');
      expect(said.slice(0, panic).match(/^line .*$/gm)).toEqual(lines);
      expect(said.slice(panic)).toMatch(/^\npanic: [^\n]+\n\nshoal1 bye reason=panic\n$/);
    }
  });

  it('that is killed is told at once, with the signal, and leaves nothing when it is removed', async () => {
    await using real = await realHypervisor();
    const { machine } = await started(real, await real.spec({ accelerator }));
    const exit = exitOf(machine);
    machine.signal('SIGKILL');
    expect(await exit).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    await machine.remove();
    // What its guest has said may come last.
    await machine.remember({ textBytesMax: 1, idempotent: true, operations: [] });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('goes on when it is let go, and proves by its uuid that it is itself', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec({ accelerator });
    const { machine, client } = await started(real, spec);
    await machine.release();
    const later = real.again();
    const found = await later.list();
    expect(found).toMatchObject([
      { kind: 'running', manifest: { spec, uuid: machine.manifest.uuid, process: machine.process } },
    ]);
    const adopted = await later.adopt(machine.manifest);
    expect(await adopted.isRunning()).toBe(true);
    expect(await client.request('upper', 'still here', LONG_MS)).toBe('STILL HERE');
    const exit = exitOf(adopted);
    adopted.writeConsole('stop\n');
    await exit;
    await adopted.remove();
    expect(await later.list()).toEqual([]);
  });
});

describe('what was left by a Shoal that died', () => {
  it('has a manifest from before its QEMU was spawned', async () => {
    await using real = await realHypervisor();
    const path = join(runDirectoryOf(real, 1), 'manifest.json');
    const found: unknown[] = [];
    const spawner: Spawner = {
      spawn(request) {
        found.push(JSON.parse(readFileSync(path, 'utf8')));
        return real.launcher.spawn(request);
      },
      onExit: (identity, listener) => real.launcher.onExit(identity, listener),
      close: () => real.launcher.close(),
    };
    const machine = await real.again({ spawner }).prepare(await real.spec());
    const { process: _, ...planned } = machine.manifest;
    expect(found).toEqual([planned]);
  });

  it('between its manifest and its note of the pid is found by the uuid on the command line', async () => {
    await using real = await realHypervisor();
    const machine = await real.hypervisor.prepare(await real.spec());
    await machine.release();
    const path = join(runDirectoryOf(real, 1), 'manifest.json');
    const { process: identity, ...planned } = machine.manifest;
    writeFileSync(path, JSON.stringify(planned));
    expect(await real.again().find(1)).toMatchObject({ kind: 'running', manifest: { process: identity } });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(machine.manifest);
    const adopted = await real.again().adopt(machine.manifest);
    expect(await adopted.isRunning()).toBe(false);
  });

  it('is gone if its process is, or if the machine was booted since', async () => {
    await using real = await realHypervisor();
    const machine = await real.hypervisor.prepare(await real.spec());
    await machine.release();
    const path = join(runDirectoryOf(real, 1), 'manifest.json');
    const others = [
      { ...machine.manifest, bootId: 'another' },
      { ...machine.manifest, process: { ...machine.process, startTicks: 1 } },
    ];
    for (const kind of ['unknown', 'gone']) {
      for (const other of others) {
        writeFileSync(path, JSON.stringify(other));
        expect(await real.again().find(1)).toMatchObject({ kind });
      }
      // As long as its monitor is served, it lives, whatever is known of its process.
      signalProcess(machine.process, 'SIGKILL');
      await whenGone(machine.process, LONG_MS, systemClock);
    }
    await expect(real.again().adopt({ ...machine.manifest, bootId: 'another' })).rejects.toMatchObject({
      code: 'VM_GONE',
    });
    writeFileSync(path, JSON.stringify(machine.manifest));
  });

  it('prints to nobody, and stalls no request nor grows beyond a MiB; whoever comes hears it report', async () => {
    // A byte on the console takes a hundredth of the time that it takes under nested KVM.
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    const spec = await real.spec({ accelerator: 'tcg', statusIntervalMs: 200 });
    const { machine, client } = await started(real, spec);
    await machine.release();
    await client.request('flood', '1500', LONG_MS);
    expect(await client.request('upper', 'still here', LONG_MS)).toBe('STILL HERE');
    const log = join(runDirectoryOf(real, 1), 'console.log');
    expect(statSync(log).size).toBe(1024 * 1024);
    const guest = { textBytesMax: spec.textBytesMax, idempotent: true, operations: [] };
    const adopted = await real.again().adopt({ ...machine.manifest, guest });
    await heard(adopted, 'shoal1 status');
    expect(statSync(log).size).toBeLessThan(64 * 1024);
  });

  it('while it booted has said that it is ready: it is heard again', async () => {
    await using real = await realHypervisor();
    const { machine } = await started(real, await real.spec());
    await machine.release();
    const adopted = await real.again().adopt(machine.manifest);
    expect(await heard(adopted, 'shoal1 status')).toMatch(/^\nshoal1 ready v=1 /);
  });

  it('keeps its ready line in its console, however much it prints, until the manifest has it', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec({ statusIntervalMs: 200 });
    const { machine } = await started(real, spec);
    const log = join(runDirectoryOf(real, 1), 'console.log');
    appendFileSync(log, 'as a guest might\n'.repeat(10_000));
    await heard(machine, 'shoal1 status');
    await heard(machine, 'shoal1 status');
    expect(readFileSync(log, 'latin1')).toMatch(/^\nshoal1 ready v=1 /);
    await machine.remember({ textBytesMax: spec.textBytesMax, idempotent: true, operations: [] });
    await heard(machine, 'shoal1 status');
    await heard(machine, 'shoal1 status');
    expect(statSync(log).size).toBeLessThan(64 * 1024);
  });

  it('is unknown, and left alone, if it cannot be identified', async () => {
    await using real = await realHypervisor({ qemu: { adoptTimeoutMs: 300 } });
    const machine = await real.hypervisor.prepare(await real.spec());
    await machine.release();
    const later = real.again({ adoptTimeoutMs: 300 });
    const path = join(runDirectoryOf(real, 1), 'manifest.json');
    for (const damaged of [
      '{',
      '[]',
      JSON.stringify({ ...machine.manifest, version: 2 }),
      JSON.stringify({ ...machine.manifest, spec: {} }),
    ]) {
      writeFileSync(path, damaged);
      expect(await later.find(1)).toMatchObject({ kind: 'unknown', vm: 1 });
    }
    writeFileSync(path, JSON.stringify(machine.manifest));
    machine.signal('SIGSTOP');
    expect(await later.find(1)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('cannot be identified'),
    });
    machine.signal('SIGCONT');
    expect(await later.find(1)).toMatchObject({ kind: 'running' });
    mkdirSync(join(real.fleetDirectory, 'notes'));
    expect(await later.list()).toMatchObject([{ kind: 'running' }, { kind: 'unknown', vm: undefined }]);
  });

  it('and died before the manifest was durable, is swept away', async () => {
    await using real = await realHypervisor();
    mkdirSync(join(real.fleetDirectory, '5'), { recursive: true });
    writeFileSync(join(real.fleetDirectory, '5', '.manifest.json.1-1.tmp'), 'half');
    expect(await real.hypervisor.list()).toEqual([]);
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });
});

describe('a machine that cannot be', () => {
  it('for want of its image is IMAGE_MISSING', async () => {
    await using real = await realHypervisor();
    await expect(real.hypervisor.prepare(await real.spec({ image: '/nowhere.elf' }))).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      details: { path: '/nowhere.elf' },
    });
  });

  it('for its image is none, or has changed, is IMAGE_INVALID', async () => {
    await using real = await realHypervisor();
    const image = join(real.folder, 'guest.elf');
    writeFileSync(image, 'no image');
    await expect(real.hypervisor.prepare(await real.spec({ image }))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    writeFileSync(image, Buffer.concat([readFileSync(real.image.path), Buffer.from('!')]));
    await expect(real.hypervisor.prepare(await real.spec({ image }))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    const { digest: imageDigest } = await inspectImage(image);
    utimesSync(image, 1, 1);
    await expect(real.hypervisor.prepare(await real.spec({ image, imageDigest }))).resolves.toBeDefined();
    // As many bytes as before, and of the same time, as a copy that keeps times makes it.
    writeFileSync(image, Buffer.concat([readFileSync(real.image.path), Buffer.from('?')]));
    utimesSync(image, 1, 1);
    await expect(real.hypervisor.prepare(await real.spec({ image, imageDigest }))).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining('has changed'),
    });
  });

  it('for want of QEMU is QEMU_MISSING', async () => {
    await using real = await realHypervisor({ qemu: { qemu: 'qemu-of-nowhere' } });
    await expect(real.hypervisor.prepare(await real.spec())).rejects.toMatchObject({ code: 'QEMU_MISSING' });
    await expect(real.again({ qemu: '/etc/passwd' }).prepare(await real.spec())).rejects.toMatchObject({
      code: 'QEMU_MISSING',
    });
    // It may be run, but there is nothing that could run it.
    const script = join(real.folder, 'qemu');
    writeFileSync(script, '#!/nowhere/interpreter\n', { mode: 0o755 });
    await expect(real.again({ qemu: script }).prepare(await real.spec())).rejects.toMatchObject({
      code: 'QEMU_MISSING',
      details: { program: script },
    });
  });

  it('for QEMU ends is QEMU_EXITED, with what it said', async () => {
    await using real = await realHypervisor();
    await expect(real.hypervisor.prepare(await real.spec({ memoryMib: 99_999_999 }))).rejects.toMatchObject({
      code: 'QEMU_EXITED',
      message: expect.stringMatching(/memory|limit|RAM/i),
    });
  });

  it('for its address is taken is PORT_TAKEN, with the address', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(spec.address.port, spec.address.ip, resolve));
    await expect(real.hypervisor.prepare(spec)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`${spec.address.ip}:9000`),
    });
    server.close();
  });

  it('for its paths are too long is PATH_TOO_LONG', async () => {
    await using real = await realHypervisor();
    expect(() => real.again({ runtimeRoot: `/tmp/${'x'.repeat(100)}` })).toThrow(
      expect.objectContaining({ code: 'PATH_TOO_LONG' }),
    );
  });

  it('for its id is taken is MANIFEST_INVALID, and harms no VM that has it', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec();
    const machine = await real.hypervisor.prepare(spec);
    await expect(real.hypervisor.prepare(spec)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(await machine.isRunning()).toBe(false);
  });

  it('leaves neither process nor directory', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec();
    await real.hypervisor.prepare(spec);
    await expect(real.hypervisor.prepare({ ...spec, vm: 99 })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    expect(readdirSync(real.fleetDirectory)).toEqual(['1']);
  });

  it('is refused a place that is not ours', async () => {
    await using real = await realHypervisor();
    symlinkSync('/tmp', join(real.folder, 'elsewhere'));
    const elsewhere = real.again({ runtimeRoot: real.folder, fleetTag: 'elsewhere' });
    await expect(elsewhere.prepare(await real.spec())).rejects.toMatchObject({ code: 'RIGHTS_MISSING' });
  });
});
