import { logIn, logLine } from '../console/mod.ts';
import { askVm } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { printable, printData, printJson, say } from './output.ts';
import { vmWord } from './vm-word.ts';

const LINES_DEFAULT = 100;

export const logsCommand: Command = {
  name: 'logs',
  summary: 'shows what a VM printed on its console, even after it has gone',
  words: 'VM',
  wordsMax: 1,
  flags: [
    { name: 'tail', short: 'n', value: 'LINES', about: `how many of the newest lines (default: ${LINES_DEFAULT})` },
    HOST_FLAG,
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal logs 1', 'the newest lines of VM 1'],
    ['shoal logs 1 -n 1000', 'the newest 1000'],
    ['shoal logs b/1', 'those of VM 1 of host b'],
  ],
  async run({ flags, words }) {
    const word = vmWord(logsCommand, flags, words[0]);
    const linesMax = flags.whole('tail', { min: 1, max: 10_000 }) ?? LINES_DEFAULT;
    const format = flags.oneOf('output', ['table', 'json']);
    const { value } = await askVm(logsCommand, flags, word, 'logs', { lines: linesMax });
    const lines = logIn(value);
    if (lines.length === 0) say(`shoal: VM ${word.vm} has printed nothing on its console`);
    if (format === 'json') printJson(lines);
    else if (lines.length > 0) printData(lines.map((line) => printable(logLine(line))).join('\n'));
    return 0;
  },
};
