import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadService } from '../../service/kit/mod.ts';
import { newService } from './new-service.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-new-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a new service in TypeScript is one, and its manifest names this Shoal', async () => {
  const { files, next } = await newService(join(folder, 'hello'), 'ts');
  expect(files.map((file) => file.replace(`${folder}/`, ''))).toEqual([
    ...['hello/hello.ts', 'hello/hello.test.ts', 'hello/package.json', 'hello/tsconfig.json', 'hello/.gitignore'],
  ]);
  expect(next).toBe('shoal up --service hello.ts --watch');
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'hello/package.json'), 'utf8'));
  const checkout = `file:${resolve(import.meta.dirname, '../../..')}`;
  expect(manifest).toMatchObject({ name: 'hello', devDependencies: { shoal: checkout } });
  const service = await loadService(join(folder, 'hello/hello.ts'));
  expect(service).toMatchObject({
    operations: ['upper', 'initials'],
    idempotent: true,
    state: 'fresh',
    payload: 'text',
  });
  expect(await service.call('initials', 'ada lovelace')).toBe('AL');
});

test.each(['wasm', 'cpp'] as const)('a new service in %s has its files', async (language) => {
  const { files } = await newService(join(folder, 'deep/hello'), language);
  expect(files.length).toBeGreaterThan(2);
  const scripts = files.filter((file) => file.endsWith('.sh'));
  expect(scripts.map((file) => statSync(file).mode & 0o111)).toEqual(scripts.map(() => 0o111));
});

test('a new service passes the compiler, with the types of this Shoal', async () => {
  const { files } = await newService(join(folder, 'hello'), 'ts');
  const modules = join(folder, 'hello/node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  // As `npm install` would have it.
  symlinkSync(resolve('.'), join(modules, 'shoal'));
  symlinkSync(resolve('node_modules/@types/node'), join(modules, '@types/node'));
  const compile = (): string =>
    spawnSync('bin/node', ['node_modules/typescript/bin/tsc', '-p', dirname(files[0] ?? '')], { encoding: 'utf8' })
      .stdout;
  expect(compile()).toBe('');
  writeFileSync(
    join(folder, 'hello/hello.ts'),
    "import type { Service } from 'shoal/service';\nexport default { a: 1 } satisfies Service;\n",
  );
  expect(compile()).toMatch(/^\S*hello\.ts\(2,18\): error TS2322/);
}, 60_000);

test('scripts of a new service call this Shoal, to which no PATH leads', async () => {
  const wasm = await newService(join(folder, 'wasm'), 'wasm');
  expect(JSON.parse(readFileSync(join(wasm.folder, 'package.json'), 'utf8'))).toMatchObject({
    devDependencies: { shoal: `file:${resolve('.')}` },
  });
  const cpp = await newService(join(folder, 'cpp'), 'cpp');
  const env = { ...process.env, SHOAL: 'echo' };
  const { stdout } = spawnSync('sh', [join(cpp.folder, 'test.sh')], { env, encoding: 'utf8' });
  expect(stdout).toBe('service build cpp.cpp --output cpp.elf\nimage check cpp.elf\n');
  expect(readFileSync(join(cpp.folder, 'test.sh'), 'utf8')).toContain(`\${SHOAL:-${resolve('bin/shoal')}}`);
});

test('nothing is written over', async () => {
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full/notes.txt'), '');
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'empty'));
  await expect(newService(join(folder, 'full'), 'ts')).rejects.toMatchObject({
    code: 'SERVICE_EXISTS',
    message: expect.stringContaining('it has "notes.txt" in it. Choose another name'),
  });
  expect(readdirSync(join(folder, 'full'))).toEqual(['notes.txt']);
  await expect(newService(join(folder, 'file'), 'ts')).rejects.toMatchObject({ code: 'SERVICE_EXISTS' });
  expect((await newService(join(folder, 'empty'), 'cpp')).files).not.toEqual([]);
});

test.each(['Hello', '1st', 'a b', '-a', 'x'.repeat(65), 'shoal', 'node_modules'])('%s is no name', async (name) => {
  await expect(newService(join(folder, name), 'ts')).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  expect(readdirSync(folder)).toEqual([]);
});
