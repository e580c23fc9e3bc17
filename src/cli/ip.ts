import { withFleet } from '../app/mod.ts';
import { rowIn, rowsIn } from '../console/mod.ts';
import { parsePool } from '../fleet/mod.ts';
import type { IpPoolRow } from '../store/mod.ts';
import { askHosts, onlyHost } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flags, HOST_FLAG, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { type Column, printData, printJson, table } from './output.ts';
import { usage } from './parse.ts';

const COLUMNS: readonly Column<IpPoolRow>[] = [
  { title: 'ID', align: 'right', cell: (row) => String(row.id_ip) },
  { title: 'ADDRESS', cell: (row) => `${row.ip}:${row.port}` },
  { title: 'HOST', cell: (row) => row.host },
  { title: 'RESERVED', cell: (row) => (row.retired ? 'yes, the last time' : row.reserve ? 'yes' : 'no') },
  { title: 'VM', align: 'right', cell: (row) => (row.vm === null ? '-' : String(row.vm)) },
  {
    title: 'LAST RESERVED',
    cell: ({ last_reserve }) => (last_reserve === null ? '-' : timeText(last_reserve)),
  },
];

const FIELDS = {
  id_ip: 'number',
  ip: 'string',
  port: 'number',
  host: 'string',
  reserve: 'boolean',
  vm: 'number?',
  last_reserve: 'number?',
} as const;

export const ipCommand: Command = {
  name: 'ip',
  summary: 'shows and changes the address pools of the running fleet: each host has its own',
  words: 'ls | add RANGE:PORT | rm ID',
  wordsMax: 2,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal ip ls', 'each address with the VM that holds it'],
    ['shoal ip add 127.0.11.1-127.0.11.20:9000', 'adds twenty'],
    ['shoal ip add 127.0.11.1-127.0.11.20:9000 --host b', 'the same, where the fleet has several hosts'],
    ['shoal ip rm 7', 'removes the address with id 7; refused while a VM holds it'],
  ],
  async run(input) {
    const json = input.flags.oneOf('output', ['table', 'json']) === 'json';
    const [verb = 'ls', word] = input.words;
    switch (verb) {
      case 'ls':
        return list(input, json);
      case 'add': {
        if (word === undefined) throw usage(ipCommand, 'there is nothing to add: give RANGE:PORT');
        // A wrong pool is refused even if no fleet answers.
        parsePool(word);
        const answer = await tellHost(input.flags, 'ip-add', { pool: word });
        const reply = rowIn<{ added: number }>('ip-add', answer, { added: 'number' });
        if (json) printJson(reply);
        else printData(`${reply.added} added`);
        return 0;
      }
      case 'rm': {
        if (!/^[1-9]\d{0,8}$/.test(word ?? ''))
          throw usage(ipCommand, `expected the id of an address, got ${JSON.stringify(word ?? '')}`);
        const answer = await tellHost(input.flags, 'ip-rm', { id: Number(word) });
        const reply = rowIn<{ removed: number }>('ip-rm', answer, { removed: 'number' });
        if (json) printJson(reply);
        else printData(`address ${reply.removed} removed`);
        return 0;
      }
      default:
        throw usage(ipCommand, `expected ls, add or rm, got ${JSON.stringify(verb)}`);
    }
  },
};

/** A time outside the range of dates is shown as a number. */
function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
}

/** Addresses are changed on one host. */
function tellHost(flags: Flags, verb: string, args: unknown): Promise<unknown> {
  return withFleet(fleetOf(flags), verb, async (calls) => {
    return calls.ask(verb, args, await onlyHost(ipCommand, flags, calls));
  });
}

async function list({ flags }: Invocation, json: boolean): Promise<number> {
  const { values, exitCode } = await askHosts(flags, 'ip-ls', {});
  const rows = values.flatMap(({ value }) => rowsIn<IpPoolRow>('ip-ls', value, FIELDS));
  if (json) printJson(rows);
  else printData(table(COLUMNS, rows));
  return exitCode;
}
