import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, TestFleet } from '../../test/driver/fleet.ts';
import { type Finished, shoal } from '../../test/driver/shoal-process.ts';

const SHOAL = join(import.meta.dirname, '..', '..', 'bin', 'shoal');

/** Runs a line of the shell, in which `shoal` stands for the command. */
function line(text: string): Promise<Finished> {
  return shoal([], { command: 'sh', before: ['-c', `shoal() { "${SHOAL}" "$@"; }; ${text}`] });
}

const UNWRITABLE = {
  exitCode: 1,
  stderr: 'shoal: Standard output cannot be written to (ENOSPC) [OUTPUT_UNWRITABLE]\n',
};

test.each(['version', 'help', 'ps --help'])('%s on a full disk is one line on standard error', async (command) => {
  expect(await line(`shoal ${command} >/dev/full`)).toMatchObject(UNWRITABLE);
});

test('where neither can be written the exit code says it', async () => {
  expect(await line('shoal version >/dev/full 2>/dev/full')).toMatchObject({ exitCode: 1, stderr: '' });
});

test('a reader that has gone is no error', async () => {
  const script = 'shoal help | head -n 1; (shoal completion bash; echo "ended with $?" >&2) | true';
  expect(await line(script)).toMatchObject({
    stdout: expect.stringMatching(/^shoal - .*\n$/),
    stderr: 'ended with 0\n',
  });
});

describe('up', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    // Its own line comes through a pipe; what follows has nobody to read it.
    fleet = await TestFleet.start({ flags: ['--set', 'free_count=1000000'] });
  });
  afterAll(() => fleet?.stop());

  test.each([
    ['on a full disk', (up: string) => `exec ${up} >/dev/full 2>/dev/full`],
    ['with readers that have gone', (up: string) => `(${up} 2>&1; echo $? >"$DATA/code") | true`],
  ])('%s serves as ever, and ends in order', async (_, command) => {
    const options = { addresses: 2, flags: ['--nats', fleet.ready.nats, '--fleet', 'silent'] };
    const data = join(fleet.data, `silent-${Math.random()}`);
    const pool = fleet.pool.replace(/:\d+$/, ':9001');
    const up = `"${SHOAL}" up --plain --data "${data}" --pool ${pool} ${options.flags.join(' ')}`;
    const running = shoal([], { command: 'sh', before: ['-c', command(up)], env: { DATA: fleet.data } });
    await eventually('the fleet answers', async () => {
      const { exitCode } = await shoal(['send', '--data', data, 'x']);
      return exitCode === 0 ? true : undefined;
    });
    expect(await shoal(['send', '--data', data, 'x'])).toMatchObject({ stdout: 'X\n' });
    // Each event is another line that cannot be written.
    expect(await shoal(['scale', '2', '--data', data])).toMatchObject({ exitCode: 0 });
    expect(await shoal(['down', '--data', data])).toMatchObject({ exitCode: 0 });
    expect(await running).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([['ps'], ['events'], ['events --follow'], ['load -n 10'], ['send x'], ['top --once']])(
    '%s on a full disk is one line on standard error',
    async (command) => {
      expect(await line(`shoal ${command} --data "${fleet.data}" >/dev/full`)).toMatchObject(UNWRITABLE);
    },
  );

  test('what has no end of its own ends with its output', async () => {
    const data = `--data "${fleet.data}"`;
    expect(await line(`yes one | shoal send --lines ${data} >/dev/full`)).toMatchObject(UNWRITABLE);
    // No further event comes.
    expect(await line(`shoal events --follow ${data} | head -n 1`)).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('input', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start({ addresses: 1 });
  });
  afterAll(() => fleet?.stop());

  test.each([
    ['yes | shoal send', /^shoal: Expected at most 1048576 bytes from standard input.*\[REQUEST_TOO_LARGE\]\n$/],
    ['shoal send </tmp', /^shoal: standard input cannot be read: it is a folder \(EISDIR\) \[USAGE\]\n$/],
    ['shoal send --file /dev/zero', /^shoal: expected --file to name a plain file, got \/dev\/zero, .* \[USAGE\]\n$/],
    ['shoal load --file /dev/zero', /^shoal: expected --file to name a plain file, got \/dev\/zero, .* \[USAGE\]\n$/],
    ['head -c 70000000 /dev/zero | shoal send --lines', /^shoal: Line 1 has more than 67108864 bytes .*\n$/],
  ])('%s is refused', async (command, message) => {
    const { stderr, exitCode } = await line(`${command} --data "${fleet.data}"`);
    expect(stderr).toMatch(message);
    expect(exitCode).toBeGreaterThan(0);
  });

  test('a line that is too long fails alone', async () => {
    const input = '(echo one; head -c 2000000 /dev/zero | tr "\\0" x; echo; echo three)';
    const { stdout, stderr, exitCode } = await line(`${input} | shoal send --lines --data "${fleet.data}"`);
    expect({ stdout, exitCode }).toEqual({ stdout: 'ONE\nTHREE\n', exitCode: 1 });
    expect(stderr).toMatch(/^shoal: line 2: the line has 2000000 bytes.*\[REQUEST_TOO_LARGE\]\n$/);
  });
});

test.each([
  'ps --fleet "a b" --nats nats://127.0.0.1:1',
  'send --fleet "a b" --nats nats://127.0.0.1:1 x',
  'top --once --fleet "a b"',
  'load --fleet "" --nats nats://127.0.0.1:1',
  'events --follow --fleet "a.b"',
  'ps --nats ftp://127.0.0.1',
  'ip add here --nats nats://127.0.0.1:1',
  'params set speed=9 --nats nats://127.0.0.1:1',
  'params set free_count=-1 --nats nats://127.0.0.1:1',
  'params set __proto__=1 --nats nats://127.0.0.1:1',
  'params get toString --nats nats://127.0.0.1:1',
])('%s is refused before anybody is asked', async (command) => {
  expect(await line(`shoal ${command}`)).toMatchObject({ exitCode: 2, stdout: '' });
});
