/** A fleet on the small QEMU: which one it takes, and that it is all the same to those who use it. */
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { readHostFacts, readQemuFacts } from '../src/hypervisor/mod.ts';
import { willEnd } from './driver/end-left.ts';
import { eventually, randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { placeOfNobody, USER, withKvm } from './driver/nobody.ts';
import { killBusyVm, qemusOf, statusFieldOf } from './driver/processes.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';

const { small, obstacle } = await readQemuFacts();
const { kvmUnusable } = await readHostFacts();
const isPossible = small !== undefined && obstacle === undefined && kvmUnusable === undefined;
const KVM = ['--accel', 'kvm'];

interface Row {
  readonly qemu: string;
  readonly qemu_why: string;
}

async function rowsOf(fleet: TestFleet): Promise<readonly Row[]> {
  // The documentation lists these fields, and a test holds it to them.
  const { vms } = (await fleet.json('ps')) as { readonly vms: readonly Row[] };
  return vms;
}

const REFUSED = 'bwrap: Creating new namespace failed: Operation not permitted';

/** @returns an environment in which bubblewrap makes no namespaces while the file `refused` is there */
function bwrapThatMayBeRefused(): { readonly env: NodeJS.ProcessEnv; readonly refused: string } {
  const programs = temporaryFolder();
  onTestFinished(() => rmSync(programs, { recursive: true }));
  const refused = join(programs, 'refused');
  const script = `#!/bin/sh\n[ ! -e '${refused}' ] || { echo '${REFUSED}' >&2; exit 1; }\nexec /usr/bin/bwrap "$@"\n`;
  writeFileSync(join(programs, 'bwrap'), script, { mode: 0o755 });
  return { env: { PATH: `${programs}:${process.env['PATH']}` }, refused };
}

describe.skipIf(!isPossible)('a fleet under KVM without a network', () => {
  test('takes the small QEMU, says so, and ends without a trace; a clean stop is known as such', async () => {
    const fleet = await TestFleet.start({ network: 'none', flags: [...KVM, '--min', '2'] });
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    expect((await client.request('hello')).text).toBe('HELLO');
    expect(fleet.ready).toMatchObject({ accelerator: 'kvm', qemu: small });
    const said = { qemu: small, qemu_why: expect.stringContaining('small') };
    expect(await rowsOf(fleet)).toEqual([expect.objectContaining(said), expect.objectContaining(said)]);
    expect(await fleet.json('inspect', ['1'])).toMatchObject(said);
    expect(await fleet.json('hosts')).toMatchObject([said]);
    await fleet.run('drain', ['1']);
    const { events } = await fleet
      .until('VM 1 is gone', ({ vms }) => !vms.some((vm) => vm.id_vmachine === 1))
      .then(async () => ({ events: await fleet.events() }));
    expect(events.find((one) => one.kind === 'vm-gone')?.text).toMatch(/drain|asked/i);
    await fleet.stop();
    expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  });

  test('that loses the right to confine VMs says what helps, and goes on with those that run', async () => {
    const { env, refused } = bwrapThatMayBeRefused();
    await using fleet = await TestFleet.start({ network: 'none', flags: KVM, env });
    writeFileSync(refused, '');
    await fleet.run('scale', ['2']);
    const gone = await eventually('a start has failed', async () =>
      (await fleet.events()).find(({ kind }) => kind === 'vm-gone'),
    );
    expect(gone.text).toContain(`${REFUSED}; \`shoal doctor\` says what it needs`);
    expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n' });
    rmSync(refused);
    await fleet.until('the second VM is ready', ({ vms }) => vms.filter((vm) => vm.state === 'ready').length === 2);
  });

  test('where namespaces are forbidden takes the full one, confined, and doctor says what would change that', async () => {
    const { env, refused } = bwrapThatMayBeRefused();
    writeFileSync(refused, '');
    await using fleet = await TestFleet.start({ network: 'none', flags: KVM, env });
    expect(await rowsOf(fleet)).toMatchObject([
      {
        qemu: 'qemu-system-x86_64',
        qemu_why: `the full build: the small one cannot be confined here, because no namespaces can be made (${REFUSED})`,
      },
    ]);
    expect(qemusOf(fleet)[0]?.commandLine).toContain('-sandbox on');
    expect(await fleet.run('send', ['confined'])).toMatchObject({ stdout: 'CONFINED\n' });
    const doctor = await shoal(['doctor', '--data', fleet.data], { env });
    expect(doctor.stdout).toMatch(/^warn +small QEMU .*Creating new namespace failed.*\n +-> \S/m);
    const asked = TestFleet.start({ network: 'none', flags: [...KVM, '--qemu', small ?? ''], env });
    await expect(asked).rejects.toThrow(/cannot be confined here.*RIGHTS_MISSING/);
  });

  test('is adopted after a kill of Shoal, and so are its VMs by a Shoal that makes others', async () => {
    const first = await TestFleet.start({ network: 'none', flags: [...KVM, '--min', '2'] });
    const before = qemusOf(first).map(({ identity }) => identity);
    await first.kill();
    await using fleet = await TestFleet.start({
      network: 'user',
      flags: ['--accel', 'tcg'],
      data: first.data,
      pool: first.pool,
    });
    expect(qemusOf(fleet).map(({ identity }) => identity)).toEqual(before);
    expect((await rowsOf(fleet)).map(({ qemu }) => qemu)).toEqual([small, small]);
    expect(await fleet.json('hosts')).toMatchObject([{ qemu: 'qemu-system-x86_64', accelerator: 'tcg' }]);
    expect(await fleet.json('inspect', ['1'])).toMatchObject({ qemu: small, accelerator: 'kvm' });
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    expect((await client.request('hello')).text).toBe('HELLO');
  });

  test('replaces a VM that is killed, and answers the request that it had', async () => {
    await using fleet = await TestFleet.start({ network: 'none', flags: [...KVM, '--min', '2'] });
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
    const slow = client.request('1500', { op: 'spin' });
    const vm = await killBusyVm(fleet);
    expect((await slow).vm).not.toBe(vm);
    await fleet.until('two are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length >= 2);
    const gone = (await fleet.events()).find((one) => one.kind === 'vm-gone');
    expect(gone?.text).toContain('SIGKILL');
  });

  test('has `up` say which QEMU it takes, and why', async () => {
    const data = temporaryFolder();
    const pool = randomPool(1);
    willEnd({ data, pool });
    const up = new ShoalProcess(['up', '--data', data, '--pool', pool, '--network', 'none', ...KVM]);
    await up.stderrHas(/new VMs run on \S+: the small build: .*\n/);
    await up.stderrHas(/Ctrl-C ends everything\.\n/);
    up.signal('SIGINT');
    expect(await up.finished).toMatchObject({ exitCode: 0 });
  });

  test('is what an image is checked on if its VMs are to have no network', async () => {
    const { exitCode, stdout } = await shoal(['image', 'check', '--network', 'none', ...KVM]);
    expect(stdout).toContain(`no network, on ${small}`);
    expect(stdout).not.toContain('FAILED');
    expect(stdout).toMatch(/ok +garbage +the next client was served/);
    expect(exitCode).toBe(0);
  });

  test('takes it by its name, too', async () => {
    const name = basename(small ?? '');
    await using fleet = await TestFleet.start({ network: 'none', flags: [...KVM, '--qemu', name] });
    expect(await rowsOf(fleet)).toMatchObject([{ qemu: name, qemu_why: `asked for by \`--qemu ${name}\`` }]);
    expect(qemusOf(fleet)[0]?.commandLine).not.toContain('-sandbox on');
    expect(await fleet.run('send', ['by name'])).toMatchObject({ stdout: 'BY NAME\n' });
  });

  test('takes the full one if it is asked to', async () => {
    await using fleet = await TestFleet.start({ network: 'none', flags: [...KVM, '--qemu', 'qemu-system-x86_64'] });
    expect(await rowsOf(fleet)).toMatchObject([
      { qemu: 'qemu-system-x86_64', qemu_why: 'asked for by `--qemu qemu-system-x86_64`' },
    ]);
    expect(qemusOf(fleet)[0]?.commandLine).toContain('-sandbox on');
  });

  test('of a user without rights has namespaces, too, and no capability', async () => {
    const place = placeOfNobody();
    const fleet = await TestFleet.start({
      ...{ ...place, network: 'none', flags: [...KVM, '--min', '2'] },
      ...withKvm(place.data, place),
    });
    expect(await fleet.run('send', ['anybody'])).toMatchObject({ stdout: 'ANYBODY\n', exitCode: 0 });
    const pids = qemusOf(fleet).map(({ identity }) => identity.pid);
    expect(pids).toHaveLength(2);
    for (const pid of pids) {
      expect(statusFieldOf(pid, 'Uid')).toBe([USER, USER, USER, USER].join('\t'));
      const rights = ['CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp'].map((field) => statusFieldOf(pid, field));
      expect(rights).toEqual([...Array.from({ length: 3 }, () => '0000000000000000'), '1', '2']);
      // Neither sees the other, though both run as the same user.
      expect(statusFieldOf(pid, 'NSpid')).toBe(`${pid}\t1`);
    }
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet).processes).toEqual([]);
  });
});

test('a QEMU that is not there is named, and one that cannot run such VMs refused', async () => {
  for (const nothing of ['/nowhere/qemu', 'qemu-of-nobody']) {
    const missing = `The program ${nothing} was not found or cannot be run: name another with`;
    await expect(TestFleet.start({ flags: ['--qemu', nothing] })).rejects.toThrow(missing);
  }
  const other = TestFleet.start({ flags: ['--qemu', '/bin/true'] });
  await expect(other).rejects.toThrow('Expected `--qemu` to be auto or a QEMU, got /bin/true');
  if (small === undefined) return;
  const wrong = TestFleet.start({ network: 'user', flags: ['--accel', 'tcg', '--qemu', small] });
  await expect(wrong).rejects.toThrow('is a small build');
});
