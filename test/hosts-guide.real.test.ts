import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { temporaryFolder } from './driver/fleet.ts';

const TIMEOUT_MS = 60_000;
const home = join(import.meta.dirname, '..');

test('the example of docs/hosts.md works as it stands', async () => {
  await using nats = await realNatsServer();
  const page = readFileSync(join(home, 'docs/hosts.md'), 'utf8');
  const [greeter = '', main = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) =>
    fromSources(code),
  );
  const [, prints] = /```text\n([\s\S]*?)```/.exec(page) ?? [];
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'greeter.ts'), greeter);
  writeFileSync(join(folder, 'main.ts'), main);
  const env = { ...process.env, NATS_URL: nats.url };
  const child: ChildProcess = spawn(process.execPath, ['--no-warnings', join(folder, 'greeter.ts')], { env });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', join(folder, 'main.ts')], {
    env,
    timeout: TIMEOUT_MS,
  });
  expect(stdout).toBe(prints);
  child.kill('SIGTERM');
  // Nothing of the group keeps the process open.
  expect(await ended).toEqual([0, null]);
});

/** Here the package is its own sources. */
function fromSources(code: string): string {
  const source = (name: string): string => pathToFileURL(join(home, 'src', name, 'mod.ts')).href;
  return code.replaceAll(/'shoal\/(actors|remote)'/g, (_, name: string) => `'${source(name)}'`);
}
