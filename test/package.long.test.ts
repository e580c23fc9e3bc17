import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomPool, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
let installed: string;
beforeAll(() => {
  folder = temporaryFolder();
  const env = { ...process.env, npm_config_ignore_scripts: undefined };
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
  const archive = packed.trim().split('\n').at(-1) ?? '';
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--silent', `./${archive}`], { cwd: folder, env });
  installed = join(folder, 'node_modules', '.bin', 'shoal');
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the packed package, installed in an empty folder, answers a request from a VM', async () => {
  const data = join(folder, 'data');
  const pool = randomPool(2);
  // The machine's own Node may be too old; a user's is not.
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const options = { command: installed, cwd: folder, env };
  const up = new ShoalProcess(['up', '-o', 'json', '--data', data, '--pool', pool, '--shards', '2'], options);
  // What `up -o json` prints.
  const { nats } = JSON.parse(await up.firstLine()) as { nats: string };
  expect(await shoal(['send', '--data', data, 'packed'], options)).toMatchObject({ stdout: 'PACKED\n', exitCode: 0 });
  // The client library is what the package exports to programs.
  writeFileSync(
    join(folder, 'use.mjs'),
    `import { connect } from 'shoal/client';
     const client = await connect({ servers: process.argv[2] });
     console.log((await client.request('from a program')).text);
     await client.close();\n`,
  );
  const program = new ShoalProcess([nats], {
    command: process.execPath,
    before: [join(folder, 'use.mjs')],
    cwd: folder,
  });
  expect(await program.finished).toMatchObject({ stdout: 'FROM A PROGRAM\n', exitCode: 0 });
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
  expect(leftovers({ data, pool })).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('its users get neither the development Node nor the sources of the guest', () => {
  const packages = readdirSync(join(folder, 'node_modules'));
  expect(packages.filter((name) => name === 'node' || name.startsWith('node-'))).toEqual([]);
  expect(existsSync(join(folder, 'node_modules', 'shoal', 'src'))).toBe(false);
  expect(existsSync(join(folder, 'node_modules', 'shoal', 'THIRD_PARTY_NOTICES'))).toBe(true);
});
