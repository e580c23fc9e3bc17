import { expect, test } from 'vitest';
import type { Command } from './command.ts';
import { helpOf } from './help.ts';
import { parse } from './parse.ts';

const command: Command = {
  name: 'try',
  summary: 'is tried',
  words: '[WORD]',
  wordsMax: 1,
  flags: [
    { name: 'count', short: 'c', value: 'N', about: 'how many' },
    { name: 'set', value: 'KEY=VALUE', multiple: true, about: 'sets one' },
    { name: 'quick', about: 'a switch' },
    { name: 'place', value: 'DIR', about: 'where' },
  ],
  examples: [['shoal try x', 'tries x']],
  run: () => Promise.resolve(0),
};

const problem = (
  args: readonly string[],
  look: (input: ReturnType<typeof parse>) => unknown = () => undefined,
): unknown => {
  try {
    look(parse(command, args));
  } catch (error) {
    return error;
  }
  return undefined;
};

test('flags, short flags, lists and words are read', () => {
  const { flags, words } = parse(command, ['-c', '3', '--set', 'a=1', 'word', '--set=b=2', '--quick']);
  expect(words).toEqual(['word']);
  expect(flags.whole('count', { min: 1, max: 9 })).toBe(3);
  expect(flags.list('set')).toEqual(['a=1', 'b=2']);
  expect(flags.has('quick')).toBe(true);
  expect(flags.text('quick')).toBeUndefined();
});

test.each([
  [['--nope'], /--nope/],
  [['a', 'b'], /unexpected argument "b"/],
  [['--count'], /--count/],
])('%j is refused with what is wrong and where the help is', (args, message) => {
  const error = problem(args);
  expect(error).toMatchObject({ code: 'USAGE' });
  expect(String(error)).toMatch(message);
  expect(String(error)).toContain('shoal try --help');
});

test.each(['0', '10', '-1', '1.5', 'x', ''])(
  'a number out of range, %j, is refused naming flag, range and value',
  (value) => {
    const error = problem([`--count=${value}`], ({ flags }) => flags.whole('count', { min: 1, max: 9 }));
    expect(String(error)).toContain(`--count to be a whole number from 1 to 9, got ${JSON.stringify(value)}`);
  },
);

test.each([
  ['MS', 'a whole number of milliseconds from 1 to 9, got "5s"'],
  ['S', 'a whole number of seconds from 1 to 9, got "5s"'],
  ['N', 'a whole number from 1 to 9, got "5s"'],
])('a number of %s that has a unit is told which one it has anyway', (value, told) => {
  const waiting = { ...command, flags: [{ name: 'wait', value, about: 'how long' }] };
  expect(() => parse(waiting, ['--wait', '5s']).flags.whole('wait', { min: 1, max: 9 })).toThrow(told);
});

test('a choice that there is not is refused naming the choices', () => {
  const error = problem(['-c', 'x'], ({ flags }) => flags.oneOf('count', ['table', 'json']));
  expect(String(error)).toContain('to be table or json, got "x"');
});

test('the help names every flag and every example', () => {
  const help = helpOf(command);
  for (const part of ['-c, --count N', '--set KEY=VALUE', '--quick', 'shoal try x', 'tries x'])
    expect(help).toContain(part);
});

test('a path is not empty, which would be the current directory', () => {
  const place = ({ flags }: ReturnType<typeof parse>): unknown => flags.text('place');
  expect(place(parse(command, ['--place', 'x']))).toBe('x');
  expect(problem(['--place', ''], place)).toMatchObject({ code: 'USAGE', message: expect.stringContaining('--place') });
});
