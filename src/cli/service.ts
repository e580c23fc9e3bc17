import { resolve } from 'node:path';
import { buildService, SYSTEMS } from '../app/mod.ts';
import { ShoalError } from '../errors.ts';
import type { Command } from './command.ts';
import { printData, say } from './output.ts';

export const serviceCommand: Command = {
  name: 'service',
  summary: 'builds a guest image with a service',
  words: 'build',
  wordsMax: 1,
  flags: [
    {
      name: 'system',
      value: 'NAME',
      choices: SYSTEMS,
      about: 'what the service runs on: builtin, or an installed includeos (default: builtin)',
    },
    { name: 'source', value: 'PATH', about: 'a folder with .cpp files, or one such file (default: the text service)' },
    { name: 'output', value: 'FILE', about: 'the image to write (default: service.elf)' },
  ],
  examples: [
    ['shoal service build --source greet.cpp --output greet.elf', 'a service of your own, on the built-in system'],
    ['shoal service build --system includeos --output text.elf', 'the text service on IncludeOS, and its profile'],
  ],
  async run({ flags, words: [verb] }) {
    if (verb !== 'build') {
      const got = verb === undefined ? 'nothing' : JSON.stringify(verb);
      throw new ShoalError('USAGE', `expected \`service build\`, got ${got}; see \`shoal service --help\``);
    }
    const source = flags.text('source');
    const { image, profile } = await buildService({
      system: flags.oneOf('system', SYSTEMS) ?? 'builtin',
      source: source === undefined ? undefined : resolve(source),
      output: resolve(flags.text('output') ?? 'service.elf'),
      say,
    });
    printData(profile === undefined ? image : `${image}\n${profile}`);
    return 0;
  },
};
