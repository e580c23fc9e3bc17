import { askFleet } from '../app/mod.ts';
import { rowIn, rowsIn } from '../console/mod.ts';
import { parsePool } from '../fleet/mod.ts';
import type { IpPoolRow } from '../store/mod.ts';
import { type Command, FIND_FLAGS, type Invocation, OUTPUT_FLAG } from './command.ts';
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
  summary: 'shows and changes the pool of addresses, while the fleet runs',
  words: 'ls | add RANGE:PORT | rm ID',
  wordsMax: 2,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal ip ls', 'each address, and the VM that holds it'],
    ['shoal ip add 127.0.11.1-127.0.11.20:9000', 'twenty more'],
    ['shoal ip rm 7', 'takes the address with the id 7 out; refused while a VM holds it'],
  ],
  async run(input) {
    const json = input.flags.oneOf('output', ['table', 'json']) === 'json';
    const [verb = 'ls', word] = input.words;
    switch (verb) {
      case 'ls':
        return list(input, json);
      case 'add': {
        if (word === undefined) throw usage(ipCommand, 'there is nothing to add: give RANGE:PORT');
        // Refused here, it needs no fleet to be refused.
        parsePool(word);
        const answer = await askFleet(fleetOf(input.flags), 'ip-add', { pool: word });
        const reply = rowIn<{ added: number }>('ip-add', answer, { added: 'number' });
        if (json) printJson(reply);
        else printData(`${reply.added} added`);
        return 0;
      }
      case 'rm': {
        if (!/^\d{1,9}$/.test(word ?? ''))
          throw usage(ipCommand, `expected the id of an address, got ${JSON.stringify(word ?? '')}`);
        const answer = await askFleet(fleetOf(input.flags), 'ip-rm', { id: Number(word) });
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

/** A time that no date can have is no reason to show nothing. */
function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
}

async function list({ flags }: Invocation, json: boolean): Promise<number> {
  const rows = rowsIn<IpPoolRow>('ip-ls', await askFleet(fleetOf(flags), 'ip-ls', {}), FIELDS);
  if (json) printJson(rows);
  else printData(table(COLUMNS, rows));
  return 0;
}
