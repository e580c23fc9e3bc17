import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetSnapshot } from '../src/fleet/mod.ts';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { type ShoalOptions, shoal } from './driver/shoal-process.ts';

describe('against a running fleet', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start();
  });
  afterAll(() => fleet?.stop());

  test('up says when it is ready, with what a program needs to go on', () => {
    const { ready, nats, subject, vms } = fleet.ready;
    expect(ready).toBe(true);
    expect(nats).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    expect(subject).toBe('shoal.default.process');
    expect(vms).toMatchObject([{ id_vmachine: 1, id_ip: 1, state: 'ready' }]);
  });

  test('send takes its text as an argument, from a file, from standard input, and by lines', async () => {
    const file = join(fleet.data, 'text');
    writeFileSync(file, 'from a file');
    expect(await fleet.run('send', ['hello'])).toMatchObject({ stdout: 'HELLO\n', stderr: '', exitCode: 0 });
    expect(await fleet.run('send', ['--file', file])).toMatchObject({ stdout: 'FROM A FILE\n', exitCode: 0 });
    expect(await fleet.run('send', ['--op', 'reverse'], 'abc')).toMatchObject({ stdout: 'cba\n', exitCode: 0 });
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    const { stdout } = await fleet.run('send', ['--lines'], `${lines.join('\n')}\n`);
    expect(stdout).toBe(`${lines.join('\n').toUpperCase()}\n`);
  });

  test('send by lines tells of a line that fails by its number, and goes on with the others', async () => {
    const { stdout, stderr, exitCode } = await fleet.run('send', ['--lines', '--op', 'spin'], '1\nnever\n3');
    expect(stdout).toBe('spun 1\nspun 3\n');
    expect(stderr).toMatch(/^shoal: line 2: .*\[REQUEST_INVALID\]\n$/);
    expect(exitCode).toBe(1);
  });

  test('what is not UTF-8 is refused with the line and the byte, and the other lines are sent', async () => {
    const file = join(fleet.data, 'lines');
    writeFileSync(file, Buffer.concat([Buffer.from('one\ntwo '), Buffer.from([0xff]), Buffer.from('\nthree\n')]));
    const refused =
      /^shoal: line 2: the line is not UTF-8: the byte 0xff at offset 4 of the line, 8 of .*\[REQUEST_INVALID\]\n$/;
    expect(await fleet.run('send', ['--lines', '--file', file])).toMatchObject({
      stdout: 'ONE\nTHREE\n',
      stderr: expect.stringMatching(refused),
      exitCode: 1,
    });
    expect(await fleet.run('send', ['--file', file])).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/0xff at offset 8 .*\[REQUEST_INVALID\]\n$/),
      exitCode: 1,
    });
  });

  test('send by lines takes an input without end, and ends when nobody reads', async () => {
    const script = 'yes one | "$0" send --lines --data "$1" | head -n 1';
    const sent = await shoal([fleet.data], {
      command: 'sh',
      before: ['-c', script, join(import.meta.dirname, '..', 'bin', 'shoal')],
    });
    expect(sent).toMatchObject({ stdout: 'ONE\n', exitCode: 0 });
  });

  test('send in JSON says which VM answered, and after how long', async () => {
    expect(await fleet.json('send', ['x'])).toMatchObject({ reply: 'X', vm: 1, ms: expect.any(Number) });
  });

  test.each([
    [['--op', 'nope', 'x'], 1, /REQUEST_OPERATION_UNKNOWN/],
    [['--op', 'v2.no_such-1', 'x'], 1, /unknown operation "v2\.no_such-1" \[REQUEST_OPERATION_UNKNOWN\]/],
    [['--op', 'a\nb', 'x'], 2, /expected --op to be 1 to 64 of a-z, 0-9, "-", "." and "_", got "a\\nb".*\[USAGE\]/],
    [['--deadline', '0', 'x'], 2, /--deadline to be a whole number of milliseconds from 1/],
    [['--deadline', '100', '--op', 'spin', '60000'], 1, /REQUEST_DEADLINE/],
    [['--file', '/nowhere/at/all'], 2, /\/nowhere\/at\/all cannot be read: there is no such file \(ENOENT\)/],
    [['a', '--file', 'b'], 2, /not both/],
  ])('send %j ends with %i and says why', async (args, exitCode, message) => {
    const finished = await fleet.run('send', args);
    expect(finished.stderr).toMatch(message);
    expect(finished).toMatchObject({ exitCode, stdout: '' });
  });

  test('ps lists the VM as a table and as JSON', async () => {
    // `shoal ps -o json` prints this type.
    const { vms, ...counts } = (await fleet.json('ps')) as FleetSnapshot;
    expect(vms[0]).toMatchObject({ id_vmachine: 1, state: 'ready', address: expect.stringMatching(/:9000$/) });
    expect(counts).toEqual({
      hosts: [{ host: vms[0]?.host, up: true }],
      neighbours: [],
      cordoned: false,
      deploy: null,
      waiting: 0,
      blocked: null,
      addresses: 4,
      addresses_free: 4 - vms.length,
      requests: {
        accepted: expect.any(Number),
        ok: expect.any(Number),
        failed: expect.anything(),
        routed: expect.anything(),
        handed: { on: 0, refused: 0, in: 0 },
      },
      uptime_ms: expect.any(Number),
    });
    const { stdout } = await fleet.run('ps');
    expect(stdout).toMatch(/^ *VM +STATE +ADDRESS/);
    expect(stdout).toMatch(/\n *1 +ready +127\./);
  });

  test('logs shows the console of a VM, and says so if there is none', async () => {
    // The built-in guest prints nothing of its own.
    const nothing = { exitCode: 0, stderr: 'shoal: VM 1 has printed nothing on its console\n' };
    expect(await fleet.run('logs', ['1'])).toMatchObject({ ...nothing, stdout: '' });
    expect(await fleet.run('logs', ['1', '-o', 'json'])).toMatchObject({ ...nothing, stdout: '[]\n' });
    expect(await fleet.run('logs', ['77'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('VM_UNKNOWN'),
    });
    expect(await fleet.run('logs', ['one'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"one"') });
  });

  test.each([['up'], ['controller']])('%s names its own help where a flag does not fit', async (command) => {
    const { stderr, exitCode } = await shoal([command, '--watch']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`shoal ${command} --help`)]);
  });

  test('a second up on the same data directory is refused, naming the running one', async () => {
    const second = await shoal(['up', '--data', fleet.data, '--pool', randomPool(1)]);
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('DATA_DIR_IN_USE') });
    expect(second.stderr).toContain(`pid ${fleet.up.pid}`);
  });

  test.each(['down', 'down --keep-vms', 'ps', 'scale 2'])(
    '%s of another fleet than the one that runs there does nothing',
    async (call) => {
      const [command = '', ...args] = call.split(' ');
      expect(await fleet.run(command, [...args, '--fleet', 'other'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/runs the fleet "default", not "other".*\[FLEET_NOT_RUNNING\]\n$/),
      });
      expect(await fleet.run('params', ['get', 'min_vm_count'])).toMatchObject({ stdout: '1\n' });
    },
  );

  test('another fleet shares the NATS server of the first', async () => {
    await using other = await TestFleet.start({ flags: ['--nats', fleet.ready.nats, '--fleet', 'other'] });
    expect(other.ready).toMatchObject({ nats: fleet.ready.nats, subject: 'shoal.other.process' });
    expect(await other.run('send', ['hi'])).toMatchObject({ stdout: 'HI\n' });
    const named = await shoal(['send', '--nats', fleet.ready.nats, '--fleet', 'other', 'by name']);
    expect(named).toMatchObject({ stdout: 'BY NAME\n' });
  });
});

describe('without a fleet', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([['send', 'x'], ['ps'], ['logs', '1']])(
    '%s says that none runs, where it looked, and how to start one',
    async (...args) => {
      const finished = await shoal([...args, '--data', folder]);
      expect(finished).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('FLEET_NOT_RUNNING') });
      expect(finished.stderr).toContain(folder);
      expect(finished.stderr).toContain('shoal up');
    },
  );

  test('version and help are for people and programs', async () => {
    expect((await shoal(['version'])).stdout).toMatch(/^shoal \d+\.\d+\.\d+ \(node 2\d\./);
    expect(JSON.parse((await shoal(['version', '-o', 'json'])).stdout)).toHaveProperty('shoal');
    for (const name of ['up', 'down', 'send', 'ps', 'logs', 'doctor', 'version']) {
      const { stdout, exitCode } = await shoal([name, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Usage: shoal ${name}`);
      expect(stdout).toContain('Examples:');
    }
  });

  test('image says what an image is, and what it is not', async () => {
    expect(JSON.parse((await shoal(['image', '-o', 'json'])).stdout)).toMatchObject({
      built_in: true,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await shoal(['image'])).stdout).toMatch(/ \(built-in\)\nsize +\d/);
    const refused = await shoal(['image', notAnImage(folder)]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('[IMAGE_INVALID]') });
  });

  test('doctor finds this machine able, and says in JSON what it looked at', async () => {
    const { stdout, exitCode } = await shoal(['doctor', '-o', 'json', '--data', folder]);
    expect(exitCode).toBe(0);
    // `shoal doctor -o json` prints such a list; the test looks at the names only.
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'Node',
        'QEMU',
        'nats-server',
        'gcc',
        '/dev/kvm',
        'accelerator',
        'rights',
        'caps',
        'run directories',
      ]),
    );
  });

  test('doctor says where run directories are not in memory, and where there is no place for them', async () => {
    const disk = await shoal(['doctor', '--data', folder], { env: { SHOAL_RUNTIME_DIR: '/proc/of-no-use' } });
    expect(disk.stdout).toMatch(/warn {2}run directories .*\/proc\/of-no-use is on no tmpfs.*\n.*SHOAL_RUNTIME_DIR/);
    const memory = await shoal(['doctor', '--data', folder], { env: { SHOAL_RUNTIME_DIR: '/dev/shm/shoal' } });
    expect(memory.stdout).toMatch(/ok {4}run directories +\/dev\/shm\/shoal, in memory/);
  });

  test('doctor names the remedy for what is missing', async () => {
    const finished = await shoal(['doctor', '--image', '/nowhere', '--data', folder], withoutPrograms());
    expect(finished.exitCode).toBe(1);
    expect(finished.stdout).toMatch(/FAIL {2}QEMU .*not found\n.*apt-get install qemu-system-x86/);
    expect(finished.stdout).toMatch(/FAIL {2}guest image .*\/nowhere/);
  });

  test.each<[what: string, flags: () => string[], exitCode: number, message: RegExp]>([
    ['an image that is not there', () => ['--image', '/nowhere/image'], 1, /\/nowhere\/image.*\[IMAGE_MISSING\]/],
    ['an image that is none', () => ['--image', notAnImage(folder)], 1, /not-an-image.*\[IMAGE_INVALID\]/],
    ['a pool that is none', () => ['--pool', 'here'], 2, /"here".*\[POOL_INVALID\]/],
    ['a parameter that there is not', () => ['--set', 'speed=9'], 2, /"speed".*min_vm_count.*\[CONFIG_VALUE\]/],
    ['a parameter out of range', () => ['--min', '-1'], 2, /min_vm_count.*\[CONFIG_VALUE\]|--min/],
    [
      'parameters that do not go together',
      () => ['--set', 'last_connect_ms=1000'],
      2,
      /last_connect_ms.*status_interval_ms/,
    ],
    ['a fleet name that is none', () => ['--fleet', 'a b'], 2, /"a b".*\[CONFIG_VALUE\]/],
    [
      'a NATS server that is not there',
      () => ['--nats', 'nats://127.0.0.1:1'],
      1,
      /127\.0\.0\.1:1.*\[NATS_UNREACHABLE\]/,
    ],
  ])('up with %s ends with its own error', async (_, flags, exitCode, message) => {
    const finished = await shoal(['up', '--data', join(folder, 'up'), '--pool', randomPool(2), ...flags()]);
    expect(finished.stderr).toMatch(message);
    expect(finished.exitCode).toBe(exitCode);
  });

  test('up with an address that another program has ends with its own error', async () => {
    const pool = randomPool(1);
    const [host = '', port = ''] = pool.split(/-[\d.]+:/);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(Number(port), host, resolve));
    const finished = await shoal(['up', '--data', join(folder, 'up'), '--pool', pool]);
    taken.close();
    expect(finished.stderr).toContain('[PORT_TAKEN]');
    expect(finished.stderr).toContain(`${host}:${port}`);
    expect(finished.exitCode).toBe(1);
  });

  test.each<[args: string[], message: RegExp]>([
    [['up', '--min', '-1'], /^shoal: --min has no value; one that begins with a dash is written --min=VALUE; .*\n$/],
    [['scale', '-1'], /^shoal: no flag and no value that could be meant is "-1"; .*\n$/],
    [['help', 'nosuch'], /^shoal: there is no command "nosuch"; .*\n$/],
    [['inspect'], /^shoal: give the number of a VM; .*\n$/],
    [['ip', 'rm', '0'], /^shoal: expected the id of an address, got "0"; .*\n$/],
  ])('%j is told in one line', async (args, message) => {
    expect(await shoal(args)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
  });

  test('up on a data directory that the system cannot make is refused, and nothing has been started for it', async () => {
    const { exitCode, stderr } = await shoal(['up', '--data', '/proc/shoal/data']);
    expect(stderr).toMatch(/^shoal: The data directory \/proc\/shoal\/data cannot be used \(ENOENT\)/);
    expect(exitCode).toBe(1);
  });

  test.each([
    [['--fleet', 'a b'], 2],
    [['--image', '/nonexistent'], 1],
  ])('up %j starts nothing before it is refused', async (flags, exitCode) => {
    const data = temporaryFolder();
    const refused = await shoal(['up', '--data', join(data, 'data'), ...flags]);
    expect(refused).toMatchObject({ exitCode, stderr: expect.not.stringContaining('nats-server') });
    rmSync(data, { recursive: true });
  });

  test('up without QEMU ends with its own error', async () => {
    const finished = await shoal(['up', '--data', join(folder, 'up'), '--pool', randomPool(1)], withoutPrograms());
    expect(finished).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/apt-get install.*\[QEMU_MISSING\]/s),
    });
  });

  test('up by a user whose home cannot be written to starts all the same', async () => {
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    const env = { XDG_CACHE_HOME: file };
    await using fleet = await TestFleet.start({ addresses: 1, env });
    expect(await fleet.run('send', ['hello'])).toMatchObject({ stdout: 'HELLO\n' });
  });

  test('up with a run directory whose path is too long for a socket is refused with the length', async () => {
    const long = join(folder, 'x'.repeat(100));
    mkdirSync(long);
    const env = { SHOAL_RUNTIME_DIR: long };
    const finished = await shoal(['up', '--data', join(folder, 'up'), '--pool', randomPool(1)], { env });
    expect(finished).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/1\d\d bytes.*\[PATH_TOO_LONG\]/) });
  });

  test('up with a data directory that cannot be used is refused with the reason', async () => {
    writeFileSync(join(folder, 'file'), '');
    const finished = await shoal(['up', '--data', join(folder, 'file', 'data'), '--pool', randomPool(1)]);
    expect(finished).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/file\/data.*\[DATA_DIR_UNUSABLE\]/) });
  });
});

function notAnImage(folder: string): string {
  const path = join(folder, 'not-an-image');
  writeFileSync(path, 'just text');
  chmodSync(path, 0o644);
  return path;
}

/** Runs `shoal` with nothing on its PATH: by Node itself, because the shell script needs some programs of its own. */
function withoutPrograms(): ShoalOptions {
  return {
    command: process.execPath,
    before: [join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')],
    env: { PATH: '/nonexistent' },
  };
}
