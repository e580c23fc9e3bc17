import { expect, test } from 'vitest';
import { commandsOf } from './shell-words.ts';

test.each([
  ['shoal send "hello, world"', [['shoal', 'send', 'hello, world']]],
  [`shoal send 'a b' "c \\"d\\"" # why`, [['shoal', 'send', 'a b', 'c \\"d\\"']]],
  [
    'cat names.txt | shoal send --lines > out.txt 2>&1',
    [
      ['cat', 'names.txt'],
      ['shoal', 'send', '--lines'],
    ],
  ],
  [
    'shoal down && SHOAL_DATA=/srv/shoal shoal up &',
    [
      ['shoal', 'down'],
      ['shoal', 'up'],
    ],
  ],
  ['shoal up --pool=127.0.10.1-127.0.10.5:9000', [['shoal', 'up', '--pool=127.0.10.1-127.0.10.5:9000']]],
  ['# only words', []],
])('%s', (line, commands) => {
  expect(commandsOf(line)).toEqual(commands);
});
