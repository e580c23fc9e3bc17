import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
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

test('a service in TypeScript is begun, tested, checked by the compiler, built and run without a compiler of C', async () => {
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const options = { command: installed, cwd: folder, env };
  const asTyped = { ...options, env: { ...env, SHOAL_INVOKED_AS: '' } };
  expect(await shoal(['service', 'new', 'hello'], asTyped)).toMatchObject({
    stderr: `Next: cd hello && ${installed} up --service hello.ts --watch\n`,
    exitCode: 0,
  });
  for (const language of ['wasm', 'cpp']) {
    const stderr = expect.stringMatching(/^Next: build it with a checkout of Shoal, /);
    const folder = `hello-${language}`;
    expect(await shoal(['service', 'new', folder, '--lang', language], options)).toMatchObject({ stderr, exitCode: 0 });
  }
  expect(await shoal(['service', 'test', 'hello/hello.ts'], options)).toMatchObject({
    stdout: expect.stringContaining('pass 2'),
    exitCode: 0,
  });
  // The test finds the package by itself, too, as in an editor or in vitest.
  const alone = new ShoalProcess(['--test', join(folder, 'hello', 'hello.test.ts')], {
    command: process.execPath,
    cwd: join(folder, 'hello'),
  });
  expect(await alone.finished).toMatchObject({ exitCode: 0 });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
  const compiled = new ShoalProcess([tsc, '-p', join(folder, 'hello'), ...types], { command: process.execPath });
  expect(await compiled.finished).toMatchObject({ stdout: '', exitCode: 0 });

  const built = await shoal(['service', 'build', 'hello/hello.ts', '--output', 'out/hello.elf'], options);
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['hello.elf', 'hello.service', 'hello.shoal.json']);

  const data = join(folder, 'service-data');
  const pool = randomPool(2);
  // Neither gcc nor wabt is asked for.
  const args = ['up', '-o', 'json', '--data', data, '--pool', pool, '--service', 'hello/hello.ts', '--watch'];
  const up = new ShoalProcess(args, options);
  await up.firstLine();
  const sent = await shoal(['send', '--data', data, '--op', 'initials', 'Ada Lovelace'], options);
  expect(sent).toMatchObject({ stdout: 'AL\n', exitCode: 0 });
  await up.stderrHas(/Watching /);
  writeFileSync(join(folder, 'hello', 'hello.ts'), 'export default { say: (text: string) => text + "?" };\n');
  await up.stderrHas(/hello\.ts is deployed as image/);
  expect(await shoal(['send', '--data', data, 'new'], options)).toMatchObject({ stdout: 'new?\n', exitCode: 0 });
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
  expect(leftovers({ data, pool })).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('a project in TypeScript compiles and runs the examples against the packed client', async () => {
  const shipped = join(folder, 'node_modules', 'shoal', 'docs', 'examples');
  const examples = readdirSync(shipped).filter((name) => name.endsWith('.ts'));
  expect(examples).toContain('request.ts');
  for (const name of examples) cpSync(join(shipped, name), join(folder, name));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    strict: true,
    // The types of `nats` itself do not hold against newer ones of Node.
    skipLibCheck: true,
    noEmit: true,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = new ShoalProcess([tsc, '-p', folder], { command: process.execPath, cwd: folder });
  expect(await compiled.finished).toMatchObject({ stdout: '', exitCode: 0 });
  await using fleet = await TestFleet.start();
  for (const name of examples) {
    const program = new ShoalProcess([join(folder, name)], {
      command: process.execPath,
      cwd: folder,
      env: { NATS_URL: fleet.ready.nats },
    });
    const said = [...readFileSync(join(folder, name), 'utf8').matchAll(/^\/\/ prints: (.*)$/gm)];
    const stdout = said.map(([, line]) => `${line}\n`).join('');
    expect(await program.finished).toMatchObject({ stdout, stderr: '', exitCode: 0 });
  }
});

test('its users get neither the development Node nor the sources of the guest', () => {
  const packages = readdirSync(join(folder, 'node_modules'));
  expect(packages.filter((name) => /^node(-(linux|bin|darwin|win)\b.*)?$/.test(name))).toEqual([]);
  expect(existsSync(join(folder, 'node_modules', 'shoal', 'src'))).toBe(false);
  expect(existsSync(join(folder, 'node_modules', 'shoal', 'THIRD_PARTY_NOTICES'))).toBe(true);
});

test('its users have the documents, which explain and completion live on', async () => {
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const options = { command: installed, cwd: folder, env };
  expect(await shoal(['explain', 'R5'], options)).toMatchObject({
    stdout: expect.stringMatching(/^R5 Idle/),
    exitCode: 0,
  });
  expect(await shoal(['completion', 'bash'], options)).toMatchObject({ exitCode: 0 });
});
