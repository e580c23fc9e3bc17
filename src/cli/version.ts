import { version } from '../app/mod.ts';
import type { Command } from './command.ts';
import { OUTPUT_FLAG } from './command.ts';
import { printData, printJson } from './output.ts';

export const versionCommand: Command = {
  name: 'version',
  summary: 'shows the version of Shoal and of Node',
  words: '',
  wordsMax: 0,
  flags: [OUTPUT_FLAG],
  examples: [['shoal version', 'one line']],
  run({ flags }) {
    const versions = { shoal: version(), node: process.versions.node };
    if (flags.oneOf('output', ['table', 'json']) === 'json') printJson(versions);
    else printData(`shoal ${versions.shoal} (node ${versions.node})`);
    return Promise.resolve(0);
  },
};
