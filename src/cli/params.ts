import { askFleet } from '../app/mod.ts';
import { rowIn } from '../console/mod.ts';
import { makeParams, PARAMETERS, paramText } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, type Flag, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson, say, table } from './output.ts';
import { usage } from './parse.ts';
import { settings } from './settings.ts';

const HOST: Flag = {
  name: 'host',
  value: 'NAME',
  about: "this host's own parameters alone: min_vm_count, spare_vm_count, spare_state, host_memory_reserve_bytes",
};

export const paramsCommand: Command = {
  name: 'params',
  summary: 'shows and sets the parameters of the running fleet',
  words: 'ls | get NAME | set NAME=VALUE ...',
  wordsMax: 64,
  flags: [...FIND_FLAGS, HOST, OUTPUT_FLAG],
  examples: [
    ['shoal params ls', 'all of them'],
    ['shoal params get min_vm_count', 'one'],
    ['shoal params set status_interval_ms=500 last_connect_ms=2000', 'several at once, checked together'],
    ['shoal params set min_vm_count=4 --host b', "one of a host's own, on that host alone"],
  ],
  async run({ flags, words }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const host = flags.text('host');
    const [verb = 'ls', ...rest] = words;
    switch (verb) {
      case 'ls':
        show(valuesIn(await askFleet(fleetOf(flags), 'params', {}, host)), json);
        return 0;
      case 'get': {
        const name = known(rest[0]);
        const values = valuesIn(await askFleet(fleetOf(flags), 'params', {}, host));
        if (json) printJson({ [name]: values[name] });
        else printData(paramText(name, values[name] ?? Number.NaN));
        return 0;
      }
      case 'set': {
        if (rest.length === 0) throw usage(paramsCommand, 'there is nothing to set: give NAME=VALUE');
        const values = checkedEach(settings(paramsCommand, rest));
        const call = host === undefined ? 'params-set' : 'params-own';
        const change = rowIn<ChangeReply>('params', await askFleet(fleetOf(flags), call, { values }, host), {});
        show(valuesIn(change.values), json);
        return toldAll(change.unreached);
      }
      default:
        throw usage(paramsCommand, `expected ls, get or set, got ${JSON.stringify(verb)}`);
    }
  },
};

/** The reply to a change. */
interface ChangeReply {
  readonly values: unknown;
  /** Names of hosts. */
  readonly unreached: readonly string[];
}

/** @returns the exit code */
function toldAll(unreached: readonly string[]): number {
  if (unreached.length === 0) return 0;
  say(`not reached: ${unreached.join(', ')}; set them again later: \`shoal hosts\` shows whose parameters differ`);
  return 1;
}

type Values = Readonly<Record<string, number>>;

function valuesIn(reply: unknown): Values {
  return rowIn<Values>('params', reply, {});
}

function known(name = ''): string {
  if (Object.hasOwn(PARAMETERS, name)) return name;
  const names = Object.keys(PARAMETERS).join(', ');
  throw usage(paramsCommand, `there is no parameter ${JSON.stringify(name)}; there are ${names}`);
}

/** With these values every allowed value of another parameter is consistent. */
const WIDEST = makeParams({
  status_interval_ms: 10,
  last_connect_ms: 86_400_000,
  boot_timeout_ms: 1,
  ip_reserve_ms: 86_400_000,
});

/** Checks each value by itself. Only the fleet knows the values that it must fit. @throws CONFIG_VALUE */
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
    {
      title: 'VALUE',
      align: 'right' as const,
      cell: ([name, value]: readonly [string, number]) => paramText(name, value),
    },
  ];
  printData(table(columns, Object.entries(values)));
}
