import { askFleet } from '../app/mod.ts';
import { EVENTS_KEPT, eventsIn, logLine } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { type Entry, Reference } from './reference.ts';
import { vmWord } from './vm-word.ts';

export const explainCommand: Command = {
  name: 'explain',
  summary: 'explains a rule, an error code, a parameter, or the decisions about a VM',
  words: 'RULE | CODE | PARAMETER | vm VM',
  wordsMax: 2,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal explain R5', 'when a VM is idle, and which ones go'],
    ['shoal explain VM_UNKNOWN', 'what an error means, and what to do'],
    ['shoal explain free_count', 'what a parameter does, and its limits'],
    ['shoal explain vm 3', 'why VM 3 was started, drained or ended, even after it has gone'],
  ],
  run(input) {
    const json = input.flags.oneOf('output', ['table', 'json']) === 'json';
    const [what, word] = input.words;
    if (what === 'vm') return explainVm(input, vmWord(explainCommand, word), json);
    if (word !== undefined) throw usage(explainCommand, `unexpected argument ${JSON.stringify(word)}`);
    const entry = lookUp(what);
    if (json) printJson(entry);
    else printData(textOf(entry));
    return Promise.resolve(0);
  },
};

function lookUp(name: string | undefined): Entry {
  const reference = Reference.read();
  if (name === undefined)
    throw usage(
      explainCommand,
      'there is nothing to explain: give a rule (R1 to R11), a code, a parameter, or vm and its number',
    );
  const entry = reference.find(name);
  if (entry !== undefined) return entry;
  const alike = reference.like(name).map((one) => one.name);
  const hint = alike.length === 0 ? '' : `; there are ${alike.join(', ')}`;
  throw usage(explainCommand, `${JSON.stringify(name)} is no rule, error code or parameter${hint}`);
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
        `\`shoal params get ${entry.name}\` shows its value, \`shoal params set ${entry.name}=VALUE\` changes it`,
      ].join('\n');
  }
}

/** The events of one VM that the fleet still remembers. Nothing else is known of a VM that has gone. */
async function explainVm({ flags }: Invocation, vm: number, json: boolean): Promise<number> {
  const events = eventsIn(await askFleet(fleetOf(flags), 'events', { count: EVENTS_KEPT }));
  const own = events.filter((event) => event.vm === vm);
  if (own.length === 0) {
    throw new ShoalError(
      'VM_UNKNOWN',
      `Nothing is remembered of VM ${vm}: there was none, or its last event is more than ${EVENTS_KEPT} events ago`,
    );
  }
  if (json) printJson({ kind: 'vm', vm, events: own });
  else printData([...own.flatMap(linesOf), '', ...rulesOf(own)].join('\n'));
  return 0;
}

function linesOf({ atMs, text, figures }: FleetEvent): string[] {
  const line = printable(logLine({ atMs, text }));
  const known = Object.entries(figures ?? {}).map(([name, figure]) => `${name} ${figure}`);
  return known.length === 0 ? [line] : [line, `              on ${printable(known.join(', '))}`];
}

/** The rules that the events name, each with its title. */
function rulesOf(events: readonly FleetEvent[]): string[] {
  const reference = Reference.read();
  const named = new Set(events.flatMap(({ rule }) => rule ?? []));
  return [...named].map((rule) => {
    const entry = reference.find(rule);
    return entry?.kind === 'rule'
      ? `${rule} ${entry.title}: \`shoal explain ${rule}\``
      : `${rule}: an administrator asked for it`;
  });
}
