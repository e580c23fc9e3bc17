import { resolve } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ShoalProcess } from '../../test/driver/shoal-process.ts';
import { asInvoked } from './invoked-as.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['bin/shoal', '`bin/shoal ps` lists them; a shoal of fish'],
  ['shoal', '`shoal ps` lists them; a shoal of fish'],
  ['/opt/my tools/shoal', "`'/opt/my tools/shoal' ps` lists them; a shoal of fish"],
])('a user who typed %s is told to type the same', (name, told) => {
  vi.stubEnv('SHOAL_INVOKED_AS', name);
  expect(asInvoked('`shoal ps` lists them; a shoal of fish')).toBe(told);
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

test.each(calls)('the program called %s has this in its hints', async (_, command, { cwd = '.', path }) => {
  const env = { SHOAL_INVOKED_AS: '', ...(path === undefined ? {} : { PATH: path }) };
  const options = { command: '/bin/sh', before: ['-c', `exec ${command} nonsense`], cwd, env };
  const { stderr, exitCode } = await new ShoalProcess([], options).finished;
  const told = `shoal: there is no command "nonsense"; \`${command} help\` lists them [USAGE]\n`;
  expect([exitCode, stderr]).toEqual([2, told]);
});
