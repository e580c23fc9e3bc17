import { askFleet } from '../app/mod.ts';
import { inspectLines } from '../console/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson } from './output.ts';
import { vmWord } from './vm-word.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'shows all that is known of one VM, with its latest events and the end of its log',
  words: 'VM',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal inspect 1', 'state, load, process, image, events, log']],
  async run({ flags, words }) {
    const vm = vmWord(inspectCommand, words[0]);
    const format = flags.oneOf('output', ['table', 'json']);
    const known = await askFleet<Record<string, unknown>>(fleetOf(flags), 'inspect', { vm });
    if (format === 'json') printJson(known);
    else printData(inspectLines(known).map(printable).join('\n'));
    return 0;
  },
};
