import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BUILD, EVERYTHING, FakeMachine, lockFile, UNTIL_GO, without } from './fixture.ts';

describe('the npm packages', () => {
  test('are installed in a fresh clone, and not again while the lock file stays the same', async () => {
    const machine = new FakeMachine(EVERYTHING);

    expect(await machine.setUp()).toMatchObject({ code: 0 });
    expect(await machine.setUp()).toMatchObject({ code: 0, stdout: '', stderr: '' });

    const npm = 'npm ci --include=dev --include=optional --loglevel=error';
    expect(machine.calls()).toEqual([npm, 'image', 'engine']);
  });

  test('are installed again when the lock file has changed', async () => {
    const machine = new FakeMachine(EVERYTHING);
    await machine.setUp('--only', 'npm');

    machine.write('package-lock.json', lockFile('2.0.0'));
    await machine.setUp('--only', 'npm');

    expect(machine.calls()).toHaveLength(2);
  });

  test('are installed again after an installation that did not come to its end', async () => {
    const machine = new FakeMachine({
      ...EVERYTHING,
      npm: 'mkdir -p node_modules/left; echo "npm error network"; exit 1',
    });
    expect(await machine.setUp()).toMatchObject({ code: 1, stderr: expect.stringContaining('npm error network') });

    machine.install('npm', EVERYTHING['npm'] ?? '');
    expect(await machine.setUp()).toMatchObject({ code: 0 });
  });

  test('a machine without npm gets told so', async () => {
    const machine = new FakeMachine(without(EVERYTHING, 'npm'));

    expect(await machine.setUp()).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no npm') });
  });
});

describe('the guest image', () => {
  test.each([
    ['a source has changed', 'includeos/service/service.cpp', '// something else\n'],
    ['a source has been added', 'includeos/core/heap.cpp', ''],
    ['the image is not the one that was built', 'includeos/build/shoal-guest.elf', 'another ELF'],
    ['what it starts with is not what was built', 'includeos/build/shoal-firmware.bin', 'another one'],
  ])('is built again when %s, and then not again', async (_when, path, text) => {
    const machine = new FakeMachine(EVERYTHING);
    await machine.setUp('--only', 'image');

    machine.write(path, text);
    await machine.setUp('--only', 'image');
    await machine.setUp('--only', 'image');

    expect(machine.calls()).toEqual(['image', 'image']);
  });

  test('is built again after a build that failed', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.write('includeos/build.sh', `${BUILD}[ -e "$FOLDER/go" ] || exit 1`);
    await machine.setUp('--only', 'image');

    machine.go();
    await machine.setUp('--only', 'image');

    expect(machine.calls()).toEqual(['image', 'image']);
  });

  test('a failing build is shown', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.write('includeos/build.sh', 'echo "shim.S:12: Error: no such instruction" >&2; exit 2\n');

    const { code, stderr } = await machine.setUp();

    expect(code).toBe(1);
    expect(stderr).toContain('shim.S:12: Error: no such instruction');
  });

  test('a build that takes its time says what it is doing', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.write('includeos/build.sh', `${UNTIL_GO}; ${BUILD}`);

    const setUp = machine.start('--only', 'image');
    await setUp.said('setup: building the guest image ...\n');
    machine.go();

    expect((await setUp.ended).stderr).toMatch(/^setup: building the guest image: done in \d+ s$/m);
  });
});

describe('the set-up as a whole', () => {
  test('two at once in one checkout: the second waits and finds everything done', async () => {
    const machine = new FakeMachine({ ...EVERYTHING, npm: `${UNTIL_GO}; ${EVERYTHING['npm']}` });

    const first = machine.start();
    await first.said('installing the npm packages');
    const second = machine.start();
    await second.said('waiting for another set-up in this checkout to end');
    machine.go();

    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(machine.calls().filter((call) => call.startsWith('npm'))).toHaveLength(1);
  });

  test('a set-up that was killed holds up nobody', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.write('includeos/build.sh', 'echo "image $$" >> "$CALLS"; kill -9 $PPID; sleep 1\n');
    expect(await machine.setUp('--only', 'image')).toMatchObject({ code: null });

    machine.write('includeos/build.sh', BUILD);
    expect(await machine.setUp()).toMatchObject({ code: 0 });
  });

  test('Ctrl-C ends what is running, and the rest does not start', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.install('npm', 'kill -INT $PPID; sleep 10; touch "$FOLDER/survived"');

    const { code, stderr } = await machine.setUp();

    expect(code).toBe(1);
    expect(stderr).toContain('was interrupted');
    expect(existsSync(machine.systemFile('survived'))).toBe(false);
    expect(machine.calls()).not.toContain('image');
  });

  test('the kernel that one long test boots is got when asked for, once; the lack of it is told and stops nothing', async () => {
    const machine = new FakeMachine(EVERYTHING);
    machine.write('test/cgroup-v2/fetch-linux.sh', 'echo fetch >> "$CALLS"; echo no network; exit 1\n');
    await machine.setUp();
    expect(machine.calls()).not.toContain('fetch');
    const failed = await machine.setUp('--only', 'linux,image');
    expect(failed).toMatchObject({ code: 0, stderr: expect.stringContaining('no network') });

    machine.write(
      'test/cgroup-v2/fetch-linux.sh',
      'echo fetch >> "$CALLS"; mkdir -p "$1/modules"; touch "$1/modules/order"\n',
    );
    for (let times = 0; times < 2; times++) expect(await machine.setUp('--only', 'linux')).toMatchObject({ code: 0 });
    expect(machine.calls().filter((call) => call === 'fetch')).toHaveLength(2);
  });

  test('an unknown step is refused with the ones there are', async () => {
    const machine = new FakeMachine(EVERYTHING);

    const { code, stderr } = await machine.setUp('--only', 'images');

    expect(code).toBe(1);
    expect(stderr).toContain('--only system,npm,image');
    expect(stderr).toContain('got `--only images`');
    expect(existsSync(join(machine.checkout, '.setup'))).toBe(false);
  });
});
