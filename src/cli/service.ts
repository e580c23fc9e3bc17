import { resolve } from 'node:path';
import { LANGUAGES, SYSTEMS } from '../app/mod.ts';
import type { Command, Flags } from './command.ts';
import { refuseForeign } from './foreign-flags.ts';
import { usage } from './parse.ts';
import { buildServiceImage } from './service-build.ts';
import { writeService } from './service-new.ts';
import { testService } from './service-test.ts';

export const serviceCommand: Command = {
  name: 'service',
  summary: 'begins a service of your own, tests it, and builds the image that runs it',
  words: 'new NAME | build [FILE] | test FILE',
  wordsMax: 2,
  flags: [
    {
      name: 'lang',
      value: 'NAME',
      choices: LANGUAGES,
      about: 'new: the language: ts, wasm (AssemblyScript) or cpp (default: ts)',
    },
    {
      name: 'output',
      value: 'FILE',
      about: "build: the image to write (default: NAME.elf of the service's file, else service.elf)",
    },
    {
      name: 'source',
      value: 'PATH',
      about: 'build: as FILE: a .ts, .js, .wasm or .cpp file, or a folder with .cpp files (default: the text service)',
    },
    {
      name: 'system',
      value: 'NAME',
      choices: SYSTEMS,
      about: 'build: what a service in C++ runs on: builtin, or an installed includeos (default: builtin)',
    },
    { name: 'text', value: 'TEXT', about: 'test: a request; the reply is printed (default: runs NAME.test.ts)' },
    { name: 'op', value: 'NAME', about: 'test: the operation of the request (default: the first one)' },
  ],
  examples: [
    ['shoal service new hello', 'a folder with a service in TypeScript and its test'],
    ['shoal service test hello.ts --op upper --text hi', 'prints HI: the engine of the VMs answers, without a VM'],
    ['shoal service build hello.ts', 'hello.elf, hello.service and hello.shoal.json, which travel together'],
    ['shoal service build greet.cpp --output greet.elf', 'a service in C++; this needs gcc'],
    ['shoal service build --system includeos --output text.elf', 'the text service on IncludeOS, and its profile'],
  ],
  async run({ flags, words: [verb, word] }) {
    if (verb !== 'new' && verb !== 'build' && verb !== 'test') {
      const got = verb === undefined ? 'nothing' : JSON.stringify(verb);
      throw usage(serviceCommand, `expected \`service new\`, \`service build\` or \`service test\`, got ${got}`);
    }
    refuseForeign(serviceCommand, flags, { all: TAKEN, taken: TAKEN[verb], what: `\`shoal service ${verb}\`` });
    if (verb === 'build') return buildServiceImage(flags, fileToBuild(flags, word));
    if (word === undefined) throw usage(serviceCommand, verb === 'new' ? 'give it a name' : 'give the file to test');
    if (verb === 'new') return writeService(word, flags.oneOf('lang', LANGUAGES) ?? 'ts');
    return testService(resolve(word), { text: flags.text('text'), operation: flags.text('op') });
  },
};

/** The flags of each use. */
const TAKEN = {
  new: ['lang'],
  build: ['output', 'source', 'system'],
  test: ['text', 'op'],
} as const;

function fileToBuild(flags: Flags, word: string | undefined): string | undefined {
  const source = flags.text('source');
  if (word !== undefined && source !== undefined)
    throw usage(serviceCommand, 'give either a file or --source, not both');
  const file = word ?? source;
  if (file === '') throw usage(serviceCommand, 'expected the file to be a path, got an empty text');
  return file === undefined ? undefined : resolve(file);
}
