import { type Command, FIND_FLAGS, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { explainLast, explainRequest, explainVm } from './explain-fleet.ts';
import { countWord, requestWord } from './explain-words.ts';
import { asInvoked } from './invoked-as.ts';
import { printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { type Entry, Reference } from './reference.ts';
import { columnsOf } from './terminal.ts';
import { vmWord } from './vm-word.ts';
import { wrap } from './wrap.ts';

export const explainCommand: Command = {
  name: 'explain',
  summary: 'explains a rule, an error code, a reason, a parameter, or what the fleet decided and why',
  words: 'RULE | CODE | REASON | PARAMETER | last [N] | vm VM | request ID',
  wordsMax: 2,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal explain R5', 'when a VM is idle, and which ones go'],
    ['shoal explain VM_UNKNOWN', 'what an error means, and what to do'],
    ['shoal explain free_count', 'what a parameter does, and its limits'],
    ['shoal explain last', 'the latest decision about a VM: figures, rule, and what else was considered'],
    ['shoal explain vm 3', 'why VM 3 was started, drained or ended, even after it has gone'],
    ['shoal explain vm b/3', 'the same of VM 3 of host b'],
    ['shoal explain request order-17', 'where the request with that id went, why, and what it waits for'],
  ],
  run(input) {
    const json = input.flags.oneOf('output', ['table', 'json']) === 'json';
    const [what, word] = input.words;
    const { flags } = input;
    if (what === 'last') return explainLast(flags, countWord(explainCommand, word), json);
    if (what === 'vm') return explainVm(explainCommand, flags, vmWord(explainCommand, flags, word), json);
    if (what === 'request') return explainRequest(flags, requestWord(explainCommand, word), json);
    if (word !== undefined) throw usage(explainCommand, `unexpected argument ${JSON.stringify(word)}`);
    const entry = lookUp(what);
    if (json) printJson(entry);
    else printData(wrap(asInvoked(textOf(entry)), columnsOf(process.stdout, COLUMNS)) + sourcesOf(entry));
    return Promise.resolve(0);
  },
};

/** Where the width is not known. */
const COLUMNS = 80;

function lookUp(name: string | undefined): Entry {
  const reference = Reference.read();
  if (name === undefined)
    throw usage(
      explainCommand,
      'there is nothing to explain: give a rule (R1 to R11), a code, a reason, a parameter, last, vm and its number, or request and its id',
    );
  const entry = reference.find(name);
  if (entry !== undefined) return entry;
  const alike = reference.like(name).map((one) => one.name);
  const hint = alike.length === 0 ? '' : `; there are ${alike.join(', ')}`;
  throw usage(explainCommand, `${JSON.stringify(name)} is no rule, error code, reason or parameter${hint}`);
}

function textOf(entry: Entry): string {
  switch (entry.kind) {
    case 'rule':
      return `${entry.name} ${entry.title}\n\n${entry.text}`;
    case 'error':
      return `${entry.name}: ${entry.meaning}\n\n${entry.remedy}`;
    case 'reason':
      return `${entry.name}: ${entry.meaning}`;
    case 'parameter':
      return [
        `${entry.name}: ${entry.meaning}`,
        '',
        `default ${entry.default}, from ${entry.least} to ${entry.most}; rule ${entry.rules}`,
        '',
        `\`shoal params get ${entry.name}\` shows its value, \`shoal params set ${entry.name}=VALUE\` changes it`,
      ].join('\n');
  }
}

/** Where a rule stands, which functions decide it, and which tests hold it; below its text, a line each. */
function sourcesOf(entry: Entry): string {
  if (entry.kind !== 'rule') return '';
  const rows = [['page', entry.page], ...labelled('decided by', entry.functions), ...labelled('held by', entry.tests)];
  return `\n\n${rows.map(([label = '', what]) => `${label.padEnd(10)}  ${what}`).join('\n')}`;
}

function labelled(label: string, lines: readonly string[]): [string, string][] {
  return lines.map((line, index) => [index === 0 ? label : '', line]);
}
