import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { willEnd } from '../driver/end-left.ts';
import { randomPool, TestFleet, temporaryFolder } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { asNobody, USER } from '../driver/nobody.ts';
import { ShoalProcess, shoal } from '../driver/shoal-process.ts';

const NOTHING = { processes: [], runDirectories: [], ports: [] };

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly pool: string;
  readonly env: NodeJS.ProcessEnv;
}

function place(): Place {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [data, runtime] = [join(folder, 'data'), join(folder, 'run')];
  for (const path of [folder, data, runtime]) {
    if (path !== folder) mkdirSync(path);
    chownSync(path, USER, USER);
  }
  const pool = randomPool(2);
  willEnd({ data, pool });
  return { folder, data, pool, env: { SHOAL_RUNTIME_DIR: runtime, HOME: folder } };
}

function up(at: Place, how: { readonly command?: string; readonly before?: readonly string[] }, flags: string[] = []) {
  return new ShoalProcess(['up', '--plain', '--data', at.data, '--pool', at.pool, ...flags], { env: at.env, ...how });
}

/** The last line of standard error is the only one that is an error, and nothing is left. */
async function endsWith(process: ShoalProcess, at: Place, error: RegExp): Promise<void> {
  const { exitCode, stderr } = await process.finished;
  expect(stderr.trimEnd().split('\n').at(-1), stderr).toMatch(error);
  expect(stderr).not.toMatch(/^ +at |please report it|#0|Assertion/m);
  expect(exitCode).toBe(1);
  expect(leftovers(at)).toEqual(NOTHING);
}

describe('a limit that is too low ends `up` with one line that names it', () => {
  test.each([
    ['ulimit -u 5', /^shoal: .*\b5\b.*ulimit -u.*\[PROCESS_LIMIT\]$/],
    ['ulimit -u 12', /^shoal: .*\b12\b.*ulimit -u.*\[PROCESS_LIMIT\]$/],
    ['ulimit -u 25', /^shoal: .*\b25\b.*ulimit -u.*\[PROCESS_LIMIT\]$/],
    ['ulimit -n 20', /^shoal: .* 20, .*\(ulimit -n\) \[OPEN_FILES_LIMIT\]$/],
    ['ulimit -n 32', /^shoal: .*`ulimit -n`.*\[OPEN_FILES_LIMIT\]$/],
    ['ulimit -n 50', /^shoal: .* of 50 open files .*`ulimit -n`.*\[OPEN_FILES_LIMIT\]$/],
    ['ulimit -v 1000000', /^shoal: .*1024000000.*\(ulimit -v\) \[SYSTEM_REFUSED\]$/],
    ['ulimit -s 64', /^shoal: .*65536.*\(ulimit -s\) \[SYSTEM_REFUSED\]$/],
    ['ulimit -f 0', /^shoal: .*EFBIG.*place\.json.*`ulimit -f`.*\[SYSTEM_REFUSED\]$/],
  ])('%s', async (limit, error) => {
    const at = place();
    await endsWith(up(at, asNobody(join(at.folder, 'project'), limit)), at, error);
  });

  test('a thread that the system refuses is no defect', async () => {
    const at = place();
    const how = asNobody(join(at.folder, 'project'), 'ulimit -u 40');
    await endsWith(up(at, how, ['--shards', '60']), at, /^shoal: .*ulimit -u.*\[(PROCESS_LIMIT|SHARD_\w+)\]$/);
  });
});

/** `mount` and `umount` in a mount namespace of its own, as root. */
function mounted(script: string): { readonly command: string; readonly before: readonly string[] } {
  const shoal = join(import.meta.dirname, '..', '..', 'bin', 'shoal');
  return { command: 'unshare', before: ['--mount', 'sh', '-c', `${script} && exec "$0" "$@"`, shoal] };
}

describe.runIf(process.getuid?.() === 0)('a hostile file system ends `up` with one line', () => {
  test.each([
    ['/proc is not mounted', 'umount -l /proc', /^shoal: .*\/proc.*mount -t proc.*\[PROC_UNUSABLE\]$/],
    ['/proc is another folder', 'mount -t tmpfs tmpfs /proc', /^shoal: .*\[PROC_UNUSABLE\]$/],
  ])('%s', async (_, script, error) => {
    const at = place();
    await endsWith(up(at, mounted(script)), at, error);
  });

  test.each([
    ['the data directory is full', 'size=16k', /^shoal: .*ENOSPC.*make room.*\[SYSTEM_REFUSED\]$/],
    ['the data directory has no inodes', 'nr_inodes=4', /^shoal: .*ENOSPC.*make room.*\[SYSTEM_REFUSED\]$/],
    ['the data directory is read-only', 'ro', /^shoal: .*EROFS.*--data.*\[DATA_DIR_UNUSABLE\]$/],
  ])('%s', async (_, options, error) => {
    const at = place();
    await endsWith(up(at, mounted(`mount -t tmpfs -o ${options} tmpfs "${at.data}"`)), at, error);
  });

  test.each([
    ['has no inodes', 'nr_inodes=3', /^shoal: .*ENOSPC.*make room.*\[SYSTEM_REFUSED\]$/],
    ['is full', 'size=8k', /^shoal: .*run directory .* is full \[QEMU_EXITED\]$/],
  ])('the folder of run directories %s', async (_, options, error) => {
    const at = place();
    const runtime = at.env['SHOAL_RUNTIME_DIR'] ?? '';
    await endsWith(up(at, mounted(`mount -t tmpfs -o ${options} tmpfs "${runtime}"`)), at, error);
  });

  test('a folder of run directories that is read-only is found by doctor as well', async () => {
    const at = place();
    const runtime = at.env['SHOAL_RUNTIME_DIR'] ?? '';
    const how = mounted(`mount -t tmpfs -o ro tmpfs "${runtime}"`);
    await endsWith(up(at, how), at, /^shoal: .*EROFS.*SHOAL_RUNTIME_DIR.*\[RIGHTS_MISSING\]$/);
    const { stdout } = await shoal(['doctor', '--data', at.data], { ...how, env: at.env });
    expect(stdout).toMatch(/FAIL {2}run directories .* is not writable\n.*SHOAL_RUNTIME_DIR/);
  });
});

test('a fleet starts in a folder that was removed, with no usable PATH for the shell and odd options for Node', async () => {
  const gone = temporaryFolder();
  const shoal = join(import.meta.dirname, '..', '..', 'bin', 'shoal');
  const fleet = await TestFleet.start({
    addresses: 1,
    env: { NODE_OPTIONS: '--no-such-option', LC_ALL: 'xx_YY', TMPDIR: '/nowhere' },
    command: 'sh',
    before: ['-c', 'cd "$0" && rmdir "$0" && exec "$@"', gone, shoal],
  });
  expect(await fleet.run('send', ['x'])).toMatchObject({ stdout: 'X\n' });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual(NOTHING);
});
