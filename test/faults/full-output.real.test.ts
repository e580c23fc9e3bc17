import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { signalProcess } from '../../src/process/mod.ts';
import { willEnd } from '../driver/end-left.ts';
import { eventually, randomPool, TestFleet, temporaryFolder } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { upOf } from '../driver/processes.ts';
import { ShoalProcess, shoal } from '../driver/shoal-process.ts';

// Issue 9, 19: output never ends the fleet.

const SHOAL = join(import.meta.dirname, '..', '..', 'bin', 'shoal');

/** Runs `shoal` with some of its output redirected, as a shell does it. */
function redirected(redirection: string): { readonly command: string; readonly before: readonly string[] } {
  return { command: 'sh', before: ['-c', `exec "$0" "$@" ${redirection}`, SHOAL] };
}

describe('a fleet whose output goes', () => {
  test.each([
    ['to a full disk', '>/dev/full'],
    ['to a full disk, errors too', '>/dev/full 2>/dev/full'],
    ['nowhere', '>&- 2>&-'],
    ['to a reader that has gone', '| true'],
  ])('%s runs on until it is ended', async (_, redirection) => {
    const data = temporaryFolder();
    const pool = randomPool(2);
    willEnd({ data, pool });
    const up = new ShoalProcess(['up', '--plain', '--data', data, '--pool', pool], redirected(redirection));
    onTestFinished(() => {
      const left = upOf({ data, pool });
      if (left !== undefined) signalProcess(left, 'SIGKILL');
    });
    const sent = () => shoal(['send', '--data', data, 'on']);
    await eventually('it serves', async () => ((await sent()).stdout === 'ON\n' ? true : undefined), 60);
    // Each event is a line of output.
    expect(await shoal(['restart', '--data', data])).toMatchObject({ exitCode: 0 });
    expect(await sent()).toMatchObject({ stdout: 'ON\n', exitCode: 0 });
    expect(await shoal(['down', '--data', data])).toMatchObject({ exitCode: 0 });
    await up.finished;
    expect(leftovers({ data, pool })).toEqual({ processes: [], runDirectories: [], ports: [] });
  });
});

describe('a command whose output goes to a full disk', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start();
  });
  afterAll(() => fleet?.stop());

  test.each(['ps', 'send x', 'events', 'params', 'hosts', 'ps -o json'])('%s: one line and exit 1', async (command) => {
    const [name = '', ...args] = command.split(' ');
    const finished = await shoal([name, '--data', fleet.data, ...args], redirected('>/dev/full'));
    expect(finished).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^shoal: [^\n]*ENOSPC[^\n]*\n$/) });
  });
});
