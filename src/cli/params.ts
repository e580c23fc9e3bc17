import { askFleet } from '../app/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson, table } from './output.ts';
import { usage } from './parse.ts';
import { settings } from './settings.ts';

export const paramsCommand: Command = {
  name: 'params',
  summary: 'shows and sets the parameters of the fleet, while it runs',
  words: 'ls | get NAME | set NAME=VALUE ...',
  wordsMax: 64,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal params ls', 'all of them'],
    ['shoal params get min_vm_count', 'one'],
    ['shoal params set status_interval_ms=500 last_connect_ms=2000', 'several at once, checked together'],
  ],
  async run({ flags, words }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const [verb = 'ls', ...rest] = words;
    if (verb === 'get') return get(await params(), rest, json);
    if (verb !== 'ls' && verb !== 'set')
      throw usage(paramsCommand, `expected ls, get or set, got ${JSON.stringify(verb)}`);
    if (verb === 'set' && rest.length === 0) throw usage(paramsCommand, 'there is nothing to set: give NAME=VALUE');
    const values =
      verb === 'ls'
        ? await params()
        : await askFleet<Values>(fleetOf(flags), 'params-set', { values: settings(paramsCommand, rest) });
    show(values, json);
    return 0;

    function params(): Promise<Values> {
      return askFleet<Values>(fleetOf(flags), 'params', {});
    }
  },
};

type Values = Readonly<Record<string, number>>;

function get(values: Values, [name]: readonly string[], json: boolean): number {
  const value = name === undefined || !Object.hasOwn(values, name) ? undefined : values[name];
  if (name === undefined || value === undefined) {
    throw usage(
      paramsCommand,
      `there is no parameter ${JSON.stringify(name ?? '')}; there are ${Object.keys(values).join(', ')}`,
    );
  }
  if (json) printJson({ [name]: value });
  else printData(String(value));
  return 0;
}

function show(values: Values, json: boolean): void {
  if (json) {
    printJson(values);
    return;
  }
  const columns = [
    { title: 'PARAMETER', cell: ([name]: readonly [string, number]) => name },
    { title: 'VALUE', align: 'right' as const, cell: ([, value]: readonly [string, number]) => String(value) },
  ];
  printData(table(columns, Object.entries(values)));
}
