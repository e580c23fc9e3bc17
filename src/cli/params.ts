import { askFleet } from '../app/mod.ts';
import { rowIn } from '../console/mod.ts';
import { makeParams, PARAMETERS } from '../fleet/mod.ts';
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
    switch (verb) {
      case 'ls':
        show(valuesIn(await askFleet(fleetOf(flags), 'params', {})), json);
        return 0;
      case 'get': {
        const name = known(rest[0]);
        const values = valuesIn(await askFleet(fleetOf(flags), 'params', {}));
        if (json) printJson({ [name]: values[name] });
        else printData(String(values[name]));
        return 0;
      }
      case 'set': {
        if (rest.length === 0) throw usage(paramsCommand, 'there is nothing to set: give NAME=VALUE');
        const values = checkedEach(settings(paramsCommand, rest));
        show(valuesIn(await askFleet(fleetOf(flags), 'params-set', { values })), json);
        return 0;
      }
      default:
        throw usage(paramsCommand, `expected ls, get or set, got ${JSON.stringify(verb)}`);
    }
  },
};

type Values = Readonly<Record<string, number>>;

function valuesIn(reply: unknown): Values {
  return rowIn<Values>('params', reply, {});
}

function known(name = ''): string {
  if (Object.hasOwn(PARAMETERS, name)) return name;
  const names = Object.keys(PARAMETERS).join(', ');
  throw usage(paramsCommand, `there is no parameter ${JSON.stringify(name)}; there are ${names}`);
}

/** Beside these every value that is allowed goes. */
const WIDEST = makeParams({
  status_interval_ms: 10,
  last_connect_ms: 86_400_000,
  boot_timeout_ms: 1,
  ip_reserve_ms: 86_400_000,
});

/** @throws CONFIG_VALUE for what no fleet takes; which values go together only the fleet can say */
function checkedEach(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(values)) makeParams(Object.fromEntries([[name, value]]), WIDEST);
  return values;
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
