import { askFleet } from '../app/mod.ts';
import { logIn, logLine } from '../console/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson, say } from './output.ts';
import { vmWord } from './vm-word.ts';

const LINES_DEFAULT = 100;

export const logsCommand: Command = {
  name: 'logs',
  summary: 'shows what a VM printed on its console, also after it has gone',
  words: 'VM',
  wordsMax: 1,
  flags: [
    { name: 'tail', short: 'n', value: 'LINES', about: `the newest so many lines (default: ${LINES_DEFAULT})` },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal logs 1', 'the newest lines of VM 1'],
    ['shoal logs 1 -n 1000', 'more of them'],
  ],
  async run({ flags, words }) {
    const vm = vmWord(logsCommand, words[0]);
    const linesMax = flags.whole('tail', { min: 1, max: 10_000 }) ?? LINES_DEFAULT;
    const format = flags.oneOf('output', ['table', 'json']);
    const lines = logIn(await askFleet(fleetOf(flags), 'logs', { vm, lines: linesMax }));
    if (lines.length === 0) say(`shoal: VM ${vm} has printed nothing on its console`);
    if (format === 'json') printJson(lines);
    else if (lines.length > 0) printData(lines.map((line) => printable(logLine(line))).join('\n'));
    return 0;
  },
};
