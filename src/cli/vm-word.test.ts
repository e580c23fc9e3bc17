import { expect, test } from 'vitest';
import { parse } from './parse.ts';
import { drainCommand } from './vm-commands.ts';
import { vmWord } from './vm-word.ts';

const read = (...args: string[]) => {
  const { flags, words } = parse(drainCommand, args);
  return vmWord(drainCommand, flags, words[0]);
};

test('a VM is named by its number, or by host and number', () => {
  expect(read('3')).toEqual({ host: undefined, vm: 3 });
  expect(read('node-1.example/3')).toEqual({ host: 'node-1.example', vm: 3 });
  expect(read('3', '--host', 'b')).toEqual({ host: 'b', vm: 3 });
  expect(read('b/3', '--host', 'b')).toEqual({ host: 'b', vm: 3 });
});

test.each([['0'], ['x'], ['/3'], ['b/'], ['b/0'], ['a/b/3'], ['b c/3'], ['a/3', '--host', 'b']])(
  '%j is refused',
  (...args) => {
    expect(() => read(...args)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);
