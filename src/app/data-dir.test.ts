import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DataDir, findHolder, findRunning, formerPath, refuseUnseen } from './data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-data-')));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const RUNNING = { fleet: 'default', nats: 'nats://127.0.0.1:4222', startedMs: 1 };

test('a second one on the same directory is refused, naming the running one', async () => {
  const first = await DataDir.open(folder);
  await first.announce(RUNNING);
  await expect(DataDir.open(`${folder}/.`)).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`pid ${process.pid}`),
    details: { pid: process.pid, fleet: 'default' },
  });
  first.close();
  const second = await DataDir.open(folder);
  second.close();
});

/** Has another process hold the lock, as one in another namespace does. @returns what kills it */
async function lockedElsewhere(how = '--exclusive', whileHeld = 'exec sleep 600'): Promise<() => Promise<void>> {
  const script = `exec 9>>"$0/lock"; flock ${how} 9; echo held; ${whileHeld}`;
  const holder = spawn('sh', ['-c', script, folder], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(holder, 'exit');
  const kill = async (): Promise<void> => {
    holder.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  await once(holder.stdout, 'data');
  return kill;
}

test('the lock is on a file, which every namespace sees, and is free when its holder is killed', async () => {
  const kill = await lockedElsewhere();
  await expect(DataDir.open(folder)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  await kill();
  (await DataDir.open(folder)).close();
});

test('a Shoal whose process cannot be seen is known by its lock, and is said to run', async () => {
  const gone = { version: 1, process: { pid: 1, startTicks: 0, bootId: 'another boot' }, ...RUNNING };
  writeFileSync(join(folder, 'running.json'), JSON.stringify(gone));
  expect(() => refuseUnseen(folder)).not.toThrow();
  const kill = await lockedElsewhere();
  expect(findRunning(folder)).toBeUndefined();
  expect(() => refuseUnseen(folder)).toThrow(
    expect.objectContaining({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining('`--nats nats://127.0.0.1:4222 --fleet default`'),
    }),
  );
  await kill();
  expect(() => refuseUnseen(folder)).not.toThrow();
  const seen = await DataDir.open(folder);
  expect(() => refuseUnseen(folder)).not.toThrow();
  seen.close();
});

test('a command that looks whether the lock is held keeps no Shoal from starting', async () => {
  // It ends as soon as somebody waits for the lock.
  await lockedElsewhere(
    '--shared',
    'until grep -q -- "-> FLOCK.*:$(stat -c %i "$0/lock") " /proc/locks; do sleep 0.01; done',
  );
  (await DataDir.open(folder)).close();
});

test('a lock file that somebody removes opens the directory to nobody else', async () => {
  const first = await DataDir.open(folder);
  await first.announce(RUNNING);
  rmSync(join(folder, 'lock'));
  await expect(DataDir.open(folder)).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    details: { pid: process.pid },
  });
  first.close();
  // Whoever was refused has not kept the lock of the new file.
  (await DataDir.open(folder)).close();
});

test('who has the directory is known from the lock on, and nobody is afterwards', async () => {
  const first = await DataDir.open(folder);
  expect(findHolder(folder)).toMatchObject({ pid: process.pid });
  const copy = `${folder}-copy`;
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(folder, copy, { recursive: true });
  expect(findHolder(copy)).toBeUndefined();
  first.close();
  expect(findHolder(folder)).toBeUndefined();
});

test('nothing runs on a copy of a directory on which a Shoal runs', async () => {
  const first = await DataDir.open(folder);
  await first.announce(RUNNING);
  const copy = `${folder}-copy`;
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(folder, copy, { recursive: true });
  expect(findRunning(copy)).toBeUndefined();
  expect(findRunning(folder)).toMatchObject(RUNNING);
  const second = await DataDir.open(copy);
  expect(formerPath(second.path)).toBeUndefined();
  second.close();
  first.close();
});

test('a directory that was moved knows where it was; a copy of it does not', async () => {
  const first = await DataDir.open(folder);
  expect(formerPath(first.path)).toBeUndefined();
  await first.settle();
  first.close();
  const [moved, copy] = [`${folder}-moved`, `${folder}-copy`];
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(folder, copy, { recursive: true });
  renameSync(folder, moved);
  const second = await DataDir.open(moved);
  expect(formerPath(second.path)).toBe(folder);
  await second.settle();
  expect(formerPath(second.path)).toBeUndefined();
  second.close();
  renameSync(moved, folder);
  const back = await DataDir.open(folder);
  await back.settle();
  back.close();
  const third = await DataDir.open(copy);
  expect(formerPath(third.path)).toBeUndefined();
  third.close();
});

test('a directory that was moved to another file system, as a copy whose original is gone, knows where it was', async () => {
  const first = await DataDir.open(folder);
  await first.settle();
  first.close();
  const moved = `${folder}-moved`;
  onTestFinished(() => rmSync(moved, { recursive: true }));
  cpSync(folder, moved, { recursive: true });
  rmSync(folder, { recursive: true });
  const second = await DataDir.open(moved);
  expect(formerPath(second.path)).toBe(folder);
  second.close();
  // Another directory at its former place, with no fleet of its own, says nothing against it.
  mkdirSync(folder);
  const third = await DataDir.open(moved);
  expect(formerPath(third.path)).toBe(folder);
  third.close();
});

test.each(['replaced by a copy', 'removed'])(
  'a directory that was %s while a Shoal runs on it is refused',
  async (how) => {
    const first = await DataDir.open(folder);
    await first.announce(RUNNING);
    const copy = `${folder}-copy`;
    cpSync(folder, copy, { recursive: true });
    rmSync(folder, { recursive: true });
    if (how === 'removed') rmSync(copy, { recursive: true });
    else renameSync(copy, folder);
    // It is made anew.
    await expect(DataDir.open(folder)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`pid ${process.pid}`),
      details: { pid: process.pid },
    });
    // `shoal down` ends it.
    expect(findHolder(folder)).toMatchObject({ pid: process.pid });
    first.close();
    (await DataDir.open(folder)).close();
  },
);

test('a file that is a device is refused, and not waited for', async () => {
  symlinkSync('/dev/null', join(folder, 'place.json'));
  const data = await DataDir.open(folder);
  expect(() => formerPath(data.path)).toThrow(/place\.json is a device, and it must be a plain file/);
  data.close();
  symlinkSync('/dev/null', join(folder, 'running.json'));
  expect(() => findRunning(folder)).toThrow(/running\.json is a device, and it must be a plain file/);
  rmSync(join(folder, 'running.json'));
  rmSync(join(folder, 'lock'));
  symlinkSync('/dev/null', join(folder, 'lock'));
  await expect(DataDir.open(folder)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringMatching(/lock is a device, and it must be a plain file/),
  });
});

test('a file that cannot be read is no word that nothing runs', () => {
  const file = join(folder, 'running.json');
  mkdirSync(file);
  expect(() => findRunning(folder)).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNUSABLE' }));
});

test('what runs is found while it runs, and not after', async () => {
  const data = await DataDir.open(folder);
  expect(findRunning(folder)).toBeUndefined();
  await data.announce(RUNNING);
  expect(findRunning(folder)).toMatchObject({ ...RUNNING, process: { pid: process.pid } });
  data.close();
  expect(findRunning(folder)).toBeUndefined();
});

test('a file left by a process that is gone, or damaged, says that nothing runs', () => {
  const file = join(folder, 'running.json');
  const gone = { version: 1, process: { pid: 1, startTicks: 0, bootId: 'another boot' }, ...RUNNING };
  for (const content of [JSON.stringify(gone), '{"version":1', '[]', 'null', '{"version":1,"process":null}']) {
    writeFileSync(file, content);
    expect(findRunning(folder)).toBeUndefined();
  }
});

test('a directory that cannot be made is refused with the reason and the remedy', async () => {
  writeFileSync(join(folder, 'file'), '');
  const directory = join(folder, 'file', 'data');
  await expect(DataDir.open(directory)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringMatching(/ENOTDIR.*--data/),
  });
});
