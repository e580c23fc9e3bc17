/** A VM on the small build, which is confined from outside. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFilesOf } from '../../test/open-files.ts';
import { BWRAP, bwrapArgs, FILTER_FD } from './confinement/bwrap.ts';
import { filesOfQemu, realProgram } from './confinement/program-files.ts';
import { readQemuFacts } from './confinement/qemu-facts.ts';
import { qemuFilter } from './confinement/qemu-syscalls.ts';
import { findProgram, inspectImage, type MachineSpec } from './mod.ts';
import type { QemuBuild } from './port.ts';
import { parseProfile } from './profile/parse-profile.ts';
import { FIRMWARE } from './qemu/firmware.ts';
import { specOfImage } from './qemu/image.ts';
import {
  exitOf,
  GuestClient,
  heard,
  type RealHypervisor,
  realHypervisor,
  runDirectoryOf,
  started,
  statusOf,
  TEST_GUEST_IMAGE,
  usableAccelerators,
} from './testing/mod.ts';

/** Generous: it is only reached when something is wrong. */
const LONG_MS = 60_000;
const facts = await readQemuFacts();
const { small = '' } = facts;
const isPossible = small !== '' && facts.obstacle === undefined && usableAccelerators().includes('kvm');

function specOf(real: RealHypervisor): Promise<MachineSpec> {
  const qemu = { program: small, confinement: 'namespaces', why: 'a test' } as const;
  return real.spec({ network: 'none', accelerator: 'kvm', qemu });
}

/** Mount points of a process, and their options. */
function mountsOf(pid: number): readonly { readonly path: string; readonly options: readonly string[] }[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [, , , , path = '', options = ''] = line.split(' ');
    return { path, options: options.split(',') };
  });
}

function parentOf(pid: number): number {
  return Number(statusOf(pid).get('PPid'));
}

describe.skipIf(!isPossible)('a QEMU without a sandbox of its own', () => {
  it('has no right, a filter, and namespaces with nothing in them but what it needs', async () => {
    await using real = await realHypervisor();
    const specs = [await specOf(real), await specOf(real)];
    const pids = [];
    for (const spec of specs) pids.push((await started(real, spec)).machine.process.pid);
    for (const [at, pid] of pids.entries()) {
      const status = statusOf(pid);
      for (const set of ['CapEff', 'CapPrm', 'CapAmb']) expect(status.get(set)).toMatch(/^0+$/);
      expect(status.get('NoNewPrivs')).toBe('1');
      expect(status.get('Seccomp')).toBe('2');
      // Outside and inside: it is the first process of a namespace, in which there is no other.
      expect(status.get('NSpid')).toBe(`${pid}\t1`);
      for (const namespace of ['net', 'ipc', 'pid', 'mnt', 'uts']) {
        const own = readlinkSync(`/proc/${pid}/ns/${namespace}`);
        expect(own).not.toBe(readlinkSync(`/proc/self/ns/${namespace}`));
        for (const other of pids)
          if (other !== pid) expect(readlinkSync(`/proc/${other}/ns/${namespace}`)).not.toBe(own);
      }
      // Interfaces of its network: the loopback alone.
      expect(
        readFileSync(`/proc/${pid}/net/dev`, 'utf8')
          .match(/^ *\S+:/gm)
          ?.map((one) => one.trim()),
      ).toEqual(['lo:']);
      const directory = runDirectoryOf(real, specs[at]?.vm ?? 0);
      const mounts = mountsOf(pid);
      for (const { path, options } of mounts) {
        const what = `${path} is mounted ${options}`;
        expect(options, what).toContain('nosuid');
        if (path !== '/dev/kvm') expect(options, what).toContain('nodev');
        if (path !== '/dev/kvm' && path !== directory) expect(options, what).toContain('ro');
      }
      const paths = mounts.map(({ path }) => path);
      const others = paths.filter((path) => !/\.so\./.test(path));
      expect(others.toSorted()).toEqual(['/', '/dev/kvm', small, FIRMWARE, real.image.path, directory].toSorted());
      const rootOf = (path: string) => readdirSync(`/proc/${pid}/root${path}`);
      expect(rootOf('/dev')).toEqual(['kvm']);
      expect(() => writeFileSync(`/proc/${pid}/root/usr/new`, '')).toThrow('EROFS');
      // Its files, its sockets, KVM: nothing that its makers had open.
      const open = openFilesOf(pid);
      const strange = open.filter(
        (one) => !/^(?:anon_inode|socket|\/dev\/(?:null|kvm))/.test(one) && !one.startsWith(directory),
      );
      // What the runner of this test left open for everybody.
      expect(strange.filter((one) => !one.startsWith('pipe:'))).toEqual([]);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    }
    if (process.getuid?.() !== 0) return;
    const users = pids.map((pid) => statusOf(pid).get('Uid')?.split('\t') ?? []);
    // Real, effective, saved and file system user alike, and another one for each VM.
    for (const ids of users) expect(new Set(ids).size).toBe(1);
    expect(new Set(users.flat()).size).toBe(2);
    for (const ids of users) expect(Number(ids[0])).toBeGreaterThanOrEqual(0x70000000);
  });

  it('answers, and its clean stop is told by the guest, since QEMU has no exit code for it', async () => {
    await using real = await realHypervisor();
    const { machine, client } = await started(real, await specOf(real));
    const text = 'größte '.repeat(7_000);
    expect(await client.request('upper', text, LONG_MS)).toBe(text.toUpperCase());
    const exit = exitOf(machine);
    const bye = heard(machine, 'shoal1 bye reason=stop');
    machine.writeConsole('stop\n');
    await bye;
    expect(await exit).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });

  it.runIf(process.getuid?.() === 0)(
    'runs an image that belongs to a user, and that nobody else may read',
    async () => {
      await using real = await realHypervisor();
      const spec = await specOf(real);
      const folder = mkdtempSync(join(tmpdir(), 'shoal-own-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const image = join(folder, 'own.elf');
      copyFileSync(spec.image, image);
      chmodSync(image, 0o400);
      chownSync(image, 65_534, 65_534);
      const { client, machine } = await started(real, { ...spec, image });
      expect(await client.request('upper', 'own', LONG_MS)).toBe('OWN');
      expect(statusOf(machine.process.pid).get('CapPrm')).toMatch(/^0+$/);
    },
  );

  it('has the file that its image boots with', async () => {
    await using real = await realHypervisor();
    const initrd = join(real.folder, 'initrd');
    writeFileSync(initrd, 'a module');
    const image = await inspectImage(real.image.path, parseProfile({ initrd }, 'test'), initrd);
    const { client, machine } = await started(real, { ...(await specOf(real)), ...specOfImage(image) });
    expect(await client.request('upper', 'beside', LONG_MS)).toBe('BESIDE');
    expect(mountsOf(machine.process.pid)).toContainEqual({ path: initrd, options: expect.arrayContaining(['ro']) });
  });

  it('finds its firmware by whatever link it is started', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    const folder = mkdtempSync(join(tmpdir(), 'shoal link, ü-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const program = join(folder, 'small qemu');
    symlinkSync(small, program);
    expect((await readQemuFacts(program)).obstacle).toBeUndefined();
    const qemu: QemuBuild = { program, confinement: 'namespaces', why: 'a test' };
    for (const fields of [{}, { firmware: 'qemu' }]) {
      const image = await inspectImage(spec.image, parseProfile(fields, 'test'));
      const { vm, address } = await real.spec();
      const { client } = await started(real, { ...spec, vm, address, ...specOfImage(image), qemu });
      expect(await client.request('upper', 'link', LONG_MS)).toBe('LINK');
    }
  });

  it('that is killed is told with the signal, and leaves nothing', async () => {
    await using real = await realHypervisor();
    const { machine } = await started(real, await specOf(real));
    const exit = exitOf(machine);
    machine.signal('SIGKILL');
    expect(await exit).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    await machine.remove();
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('prints to nobody, and neither stalls nor fills the disk', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    const { machine, client } = await started(real, await specOf(real));
    await machine.release();
    const { pid } = machine.process;
    expect(readFileSync(`/proc/${pid}/limits`, 'latin1')).toMatch(/^Max file size +1048576 +1048576/m);
    expect(await client.request('flood', '100', LONG_MS)).toBeDefined();
  });

  it('is adopted by whoever comes back, also between manifest and note of the pid', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    const { machine, client } = await started(real, spec);
    await machine.release();
    expect(machine.manifest.version).toBe(3);
    const { process: identity, ...planned } = machine.manifest;
    writeFileSync(join(runDirectoryOf(real, spec.vm), 'manifest.json'), JSON.stringify(planned));
    const later = real.again();
    expect(await later.list()).toMatchObject([{ kind: 'running', manifest: { process: identity } }]);
    const adopted = await later.adopt(machine.manifest);
    expect(await client.request('upper', 'still here', LONG_MS)).toBe('STILL HERE');
    const exit = exitOf(adopted);
    adopted.writeConsole('stop\n');
    await exit;
    await adopted.remove();
    expect(await later.list()).toEqual([]);
  });

  it('goes on when somebody kills the process that confined it, and its end is still seen', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    const { machine, client } = await started(real, spec);
    const exit = exitOf(machine);
    const wrapper = parentOf(machine.process.pid);
    expect(readFileSync(`/proc/${wrapper}/comm`, 'latin1')).toBe(`${BWRAP}\n`);
    process.kill(wrapper, 'SIGKILL');
    expect(await client.request('upper', 'still here', LONG_MS)).toBe('STILL HERE');
    machine.writeConsole('stop\n');
    expect(await exit).toEqual({ exitCode: null, signal: null, stderr: '' });
  });

  it('whose run directory was removed is found as one VM, and ended', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    const { machine } = await started(real, spec);
    await machine.release();
    await real.hypervisor.discard(spec.vm);
    const later = real.again();
    const found = await later.list();
    expect(found).toMatchObject([{ kind: 'orphan', vm: spec.vm, process: machine.process }]);
    expect(await later.end(machine.process)).toBe(true);
    expect(await later.list()).toEqual([]);
  });

  it('that cannot have its memory says so, as any other does', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    await expect(real.hypervisor.prepare({ ...spec, memoryMib: 99_999_999 })).rejects.toMatchObject({
      code: 'QEMU_EXITED',
      message: expect.stringMatching(/memory|limit|RAM/i),
    });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('is what its caps hold, and not the process that confined it', async () => {
    // Plain folders stand for the kernel's.
    const cgroupRoot = mkdtempSync(join(tmpdir(), 'shoal-cgroup-'));
    onTestFinished(() => rmSync(cgroupRoot, { recursive: true }));
    writeFileSync(join(cgroupRoot, 'cgroup.subtree_control'), 'cpu memory\n');
    await using real = await realHypervisor({ qemu: { cgroupRoot } });
    const spec = await specOf(real);
    const { machine } = await started(real, spec);
    const [fleet = ''] = readdirSync(cgroupRoot).filter((name) => name.startsWith('shoal-'));
    const held = readFileSync(join(cgroupRoot, fleet, `vm-${spec.vm}`, 'cgroup.procs'), 'latin1');
    expect(held).toBe(`${machine.process.pid}\n`);
    expect(readlinkSync(`/proc/${held.trim()}/exe`)).toBe(realpathSync(small));
  });

  it('speaks to one client after another, as the full build does', async () => {
    await using real = await realHypervisor();
    const spec = await specOf(real);
    const { client } = await started(real, spec);
    client.close();
    const next = await GuestClient.open(real.hypervisor.connect(spec), LONG_MS);
    expect(await next.request('upper', 'next', LONG_MS)).toBe('NEXT');
  });
});

it.runIf(isPossible && process.getuid?.() === 0)(
  'a program that root confines begins with the rights to open its files and to change its user, and no more',
  async () => {
    const program = realProgram('/usr/bin/sleep');
    const files = await filesOfQemu(program);
    const args = bwrapArgs({ files, devices: [], becomesAnother: true, tellsPid: false });
    const stdio = [...Array.from({ length: FILTER_FD }, () => 'ignore' as const), 'pipe' as const];
    const wrapper = spawn(BWRAP, [...args, program, '60'], { stdio });
    const pid = wrapper.pid ?? 0;
    const childOf = () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'));
    onTestFinished(() => {
      if (childOf() > 0) process.kill(childOf(), 'SIGKILL');
      wrapper.kill('SIGKILL');
    });
    const input = wrapper.stdio[FILTER_FD];
    if (input instanceof Writable) input.end(qemuFilter(true));
    await expect.poll(() => childOf() > 0 && statusOf(childOf()).get('Name'), { timeout: LONG_MS }).toBe('sleep');
    const status = statusOf(childOf());
    // CAP_DAC_OVERRIDE, CAP_SETGID, CAP_SETUID.
    for (const set of ['CapEff', 'CapPrm']) expect(Number.parseInt(status.get(set) ?? '', 16)).toBe(0xc2);
  },
);

describe('the facts about the small build', () => {
  it('say where it is, or nothing', async () => {
    expect(facts.small).toBe(findProgram('qemu-system-x86_64-microvm'));
    expect(await readQemuFacts('/nowhere/qemu')).toMatchObject({ obstacle: { why: expect.any(String) } });
  });
});
