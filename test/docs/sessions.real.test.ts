import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, temporaryFolder } from '../driver/fleet.ts';
import { stepsOf, withoutFigures } from './console-block.ts';
import { pages } from './page.ts';

const run = promisify(execFile);

/** A command that takes longer is ended. */
const STEP_MS_MAX = 60_000;

const sessions = pages().flatMap((page) =>
  page.blocks.filter(({ mark }) => mark === 'run').map((block) => [`${page.path}:${block.line}`, block] as const),
);

describe('a session that a page shows, on a real fleet', () => {
  let fleet: TestFleet;
  let programs: string;
  beforeAll(async () => {
    programs = temporaryFolder();
    mkdirSync(join(programs, 'bin'));
    symlinkSync(resolve('bin/shoal'), join(programs, 'bin', 'shoal'));
    // With one address there is always one VM, whatever an earlier session has sent.
    fleet = await TestFleet.start({ addresses: 1 });
    // The documented tables have figures that a new VM does not have yet.
    await fleet.until('the VM has reported', ({ vms }) => vms.every(({ cpu }) => cpu !== null));
  });
  afterAll(async () => {
    await fleet?.stop();
    rmSync(programs, { recursive: true });
  });

  test('there are some', () => {
    expect(sessions.length).toBeGreaterThan(3);
  });

  test.each(sessions)('the one at %s prints what it is said to print', async (_, block) => {
    for (const { command, output } of stepsOf(block.text)) {
      const env = { ...process.env, SHOAL_DATA: fleet.data, PATH: `${join(programs, 'bin')}:${process.env['PATH']}` };
      const printed = await run('bash', ['-c', command], { env, timeout: STEP_MS_MAX }).catch(
        // A documented command may fail: `execFile` then rejects with its output.
        (error: { stdout: string; stderr: string }) => error,
      );
      const shown = withoutFigures(output, hostname());
      expect(`${command}\n${withoutFigures(printed.stdout + printed.stderr, hostname())}`).toBe(`${command}\n${shown}`);
    }
  });
});
