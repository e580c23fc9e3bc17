import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-bin-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'path'));
});

describe('in the published package, through the link that npm makes', () => {
  test('runs the compiled command on the node of the PATH', async () => {
    putNode('path/node', 'v22.18.0');
    const command = installPackage();

    expect(await run(command, 'ps', '-o', 'json')).toMatchObject({
      code: 0,
      stdout: `v22.18.0 runs --disable-sigusr1 --min-semi-space-size=8 ${folder}/node_modules/shoal/dist/cli/main.js ps -o json\n`,
    });
  });

  test('becomes the program itself, so that signals reach it', async () => {
    putNode('path/node', 'v24.0.0', 'echo "pid $$"');
    const { pid, stdout } = await run(installPackage());

    expect(stdout).toContain(`pid ${pid}\n`);
  });

  test.each(['v22.17.1', 'v20.19.4', 'v9.11.2'])('says what it needs where node is %s', async (version) => {
    putNode('path/node', version);

    expect(await run(installPackage(), 'ps')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `shoal needs Node 22.18 or newer on the PATH (found: ${version}): install one, such as from https://nodejs.org\n`,
    });
  });

  test('says what it needs where there is no node', async () => {
    expect(await run(installPackage())).toMatchObject({ code: 1, stderr: expect.stringContaining('(found: none)') });
  });
});

describe('in a checkout', () => {
  test("runs the sources on the checkout's own node, however old the machine's", async () => {
    putNode('path/node', 'v20.19.4');
    putNode('clone/node_modules/.bin/node', 'v24.21.0');

    expect((await run(clone(), 'up')).stdout).toBe(
      `v24.21.0 runs --disable-sigusr1 --min-semi-space-size=8 ${folder}/clone/src/cli/main.ts up\n`,
    );
  });

  test('Node keeps what it has compiled beside the modules, whatever the environment says', async () => {
    putNode('clone/node_modules/.bin/node', 'v24.21.0', 'echo "cache $NODE_COMPILE_CACHE"');

    expect((await run(clone(), 'up')).stdout).toContain(`cache ${folder}/clone/node_modules/.cache/node\n`);
  });

  test("options of Node's developers do not reach it", async () => {
    putNode('clone/node_modules/.bin/node', 'v24.21.0', 'echo "options[$NODE_OPTIONS]"');

    expect((await run(clone(), 'up')).stdout).toContain('options[]\n');
  });

  test('it starts with as many open files as Node needs, and with fewer says so', async () => {
    putNode('clone/node_modules/.bin/node', 'v24.21.0');
    const shoal = clone();
    const withFiles = (count: number) => run('/bin/sh', '-c', `ulimit -n ${count}; exec "$0" ps`, shoal);

    expect(await withFiles(32)).toMatchObject({ code: 0, stdout: expect.stringContaining('runs') });
    expect(await withFiles(31)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'the limit of open files is 31, and Shoal needs at least 32: raise it (ulimit -n)',
      ),
    });
  });

  test("before the set-up, the machine's node will do if it is new enough", async () => {
    putNode('path/node', 'v24.0.0');

    expect((await run(clone(), 'up')).stdout).toBe(
      `v24.0.0 runs --disable-sigusr1 --min-semi-space-size=8 ${folder}/clone/src/cli/main.ts up\n`,
    );
  });

  test('before the set-up, with an old node, says what to run', async () => {
    putNode('path/node', 'v20.19.4');

    expect(await run(clone(), 'up')).toMatchObject({ code: 1, stderr: expect.stringContaining('npm run setup') });
  });
});

/** A node of some version, which says what it is asked to run. */
function putNode(path: string, version: string, script = ''): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  const text = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit; fi\n${script}\necho "${version} runs $*"\n`;
  writeFileSync(join(folder, path), text, { mode: 0o755 });
}

function installPackage(): string {
  cpSync(resolve('bin/shoal'), join(folder, 'node_modules/shoal/bin/shoal'));
  mkdirSync(join(folder, 'node_modules/.bin'));
  symlinkSync('../shoal/bin/shoal', join(folder, 'node_modules/.bin/shoal'));
  return join(folder, 'node_modules/.bin/shoal');
}

function clone(): string {
  cpSync(resolve('bin'), join(folder, 'clone/bin'), { recursive: true });
  mkdirSync(join(folder, 'clone/src/cli'), { recursive: true });
  writeFileSync(join(folder, 'clone/src/cli/main.ts'), '');
  return join(folder, 'clone/bin/shoal');
}

type ProcessResult = { pid: number | undefined; code: number | null; stdout: string; stderr: string };

/** Runs a command on a PATH that has no node but ours. */
function run(command: string, ...args: readonly string[]): Promise<ProcessResult> {
  for (const name of ['sh', 'dirname', 'readlink', 'uname']) {
    const link = join(folder, 'path', name);
    if (!existsSync(link)) symlinkSync(join('/usr/bin', name), link);
  }
  const child = spawn(command, args, {
    env: { PATH: join(folder, 'path'), NODE_COMPILE_CACHE: '/elsewhere', NODE_OPTIONS: '--require=/nowhere' },
    cwd: folder,
    timeout: 15_000,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ pid: child.pid, code, ...output }));
  });
}
