/** The session of docs/many-hosts.md, on three hosts of one machine. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { realNatsServer } from '../../src/transport/kit/mod.ts';
import { eventually, TestFleet, temporaryFolder } from '../driver/fleet.ts';
import { stepsOf, withoutFigures } from './console-block.ts';
import { Page } from './page.ts';

const run = promisify(execFile);
const STEP_MS_MAX = 60_000;

const page = Page.read('docs/many-hosts.md');
const sessions = page.blocks.filter(({ mark }) => mark === 'hosts');

test('the session that the guide shows prints what it is said to print', async () => {
  expect(sessions).toHaveLength(1);
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const programs = temporaryFolder();
  onTestFinished(() => rmSync(programs, { recursive: true }));
  mkdirSync(join(programs, 'bin'));
  symlinkSync(resolve('bin/shoal'), join(programs, 'bin', 'shoal'));
  const start = (host: string): Promise<TestFleet> =>
    TestFleet.start({ addresses: 2, flags: ['--nats', server.url, '--host', host] });
  const hosts = await Promise.all(['a', 'b', 'c'].map(start));
  onTestFinished(() => Promise.all(hosts.map((host) => host.stop())).then(() => undefined));
  const [a] = hosts;
  await eventually('they know of each other', async () => {
    const rows = await a?.json('hosts');
    return Array.isArray(rows) && rows.length === 3 ? true : undefined;
  });
  const env = { ...process.env, SHOAL_DATA: a?.data, PATH: `${join(programs, 'bin')}:${process.env['PATH']}` };
  for (const { command, output } of stepsOf(sessions[0]?.text ?? '')) {
    // A documented command may fail: `execFile` then rejects with its output.
    const printed = await run('bash', ['-c', command], { env, timeout: STEP_MS_MAX }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(`${command}\n${comparable(printed.stdout + printed.stderr)}`).toBe(`${command}\n${comparable(output)}`);
  }
});

/** The digest of parameters and the accelerator are the machine's. */
function comparable(text: string): string {
  return withoutFigures(
    text.replaceAll(/\b[0-9a-f]{8}$/gm, 'DIGEST').replaceAll(/\b(kvm|tcg)\b/g, 'ACCEL'),
    hostname(),
  );
}
