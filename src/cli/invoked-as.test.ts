import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/driver/fleet.ts';
import { ShoalProcess } from '../../test/driver/shoal-process.ts';
import { asInvoked, invokedFromAnywhere } from './invoked-as.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['bin/shoal', '`bin/shoal ps` lists them; a shoal of fish'],
  ['shoal', '`shoal ps` lists them; a shoal of fish'],
  ['npx shoal', '`npx shoal ps` lists them; a shoal of fish'],
  ['/opt/my tools/shoal', "`'/opt/my tools/shoal' ps` lists them; a shoal of fish"],
])('a user who typed %s is told to type the same', (name, told) => {
  vi.stubEnv('SHOAL_INVOKED_AS', name);
  expect(asInvoked('`shoal ps` lists them; a shoal of fish')).toBe(told);
});

test.each([
  ['bin/shoal', resolve('bin/shoal')],
  ['/opt/my tools/shoal', "'/opt/my tools/shoal'"],
  ['shoal', 'shoal'],
  ['npx shoal', 'npx shoal'],
])('a user who typed %s and goes to another folder is told to type %s there', (name, told) => {
  vi.stubEnv('SHOAL_INVOKED_AS', name);
  expect(invokedFromAnywhere()).toBe(told);
});

interface Call {
  readonly cwd?: string;
  readonly path?: string;
}
const calls: readonly (readonly [how: string, command: string, call: Call])[] = [
  ['by a path', 'bin/shoal', {}],
  ['by a path from elsewhere', '../bin/shoal', { cwd: 'docs' }],
  ['by its name', 'shoal', { path: `${resolve('bin')}:${process.env['PATH']}` }],
];

test('a package in a folder of its own is called by npx, and by its path', async () => {
  const home = temporaryFolder();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const folder = join(home, 'node_modules/.bin');
  mkdirSync(folder, { recursive: true });
  symlinkSync(resolve('bin/shoal'), join(folder, 'shoal'));
  const env = { SHOAL_INVOKED_AS: '', PATH: `${folder}:${process.env['PATH']}` };
  const ask = async (command: string): Promise<string> => {
    const before = ['-c', `exec ${command} nonsense`];
    return (await new ShoalProcess([], { command: '/bin/sh', before, cwd: home, env }).finished).stderr;
  };
  expect(await ask('shoal')).toContain('; `npx shoal help` lists them');
  expect(await ask('node_modules/.bin/shoal')).toContain('; `node_modules/.bin/shoal help` lists them');
});

test.each(calls)('the program called %s has this in its hints', async (_, command, { cwd = '.', path }) => {
  const env = { SHOAL_INVOKED_AS: '', ...(path === undefined ? {} : { PATH: path }) };
  const options = { command: '/bin/sh', before: ['-c', `exec ${command} nonsense`], cwd, env };
  const { stderr, exitCode } = await new ShoalProcess([], options).finished;
  const told = `shoal: there is no command "nonsense"; \`${command} help\` lists them [USAGE]\n`;
  expect([exitCode, stderr]).toEqual([2, told]);
});
