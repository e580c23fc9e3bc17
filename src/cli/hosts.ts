import { askFleet } from '../app/mod.ts';
import { rowsIn } from '../console/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { type Column, printData, printJson, table } from './output.ts';

interface HostRow {
  readonly host: string;
  readonly vms: number;
  readonly ready: number;
  readonly addresses: number;
  readonly addresses_free: number;
  readonly accelerator: string;
  readonly accelerator_why: string;
  readonly image: string;
  readonly memory_mib: number;
}

const COLUMNS: readonly Column<HostRow>[] = [
  { title: 'HOST', cell: (row) => row.host },
  { title: 'VMS', align: 'right', cell: (row) => String(row.vms) },
  { title: 'READY', align: 'right', cell: (row) => String(row.ready) },
  { title: 'ADDRESSES FREE', align: 'right', cell: (row) => `${row.addresses_free} of ${row.addresses}` },
  { title: 'ACCELERATOR', cell: (row) => row.accelerator },
  { title: 'MEMORY A VM', align: 'right', cell: (row) => `${row.memory_mib} MiB` },
];

const FIELDS = {
  host: 'string',
  vms: 'number',
  ready: 'number',
  addresses: 'number',
  addresses_free: 'number',
  accelerator: 'string',
  memory_mib: 'number',
} as const;

export const hostsCommand: Command = {
  name: 'hosts',
  summary: 'lists the hosts with their VMs and what they run on',
  words: '',
  wordsMax: 0,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal hosts', 'one line a host']],
  async run({ flags }) {
    const format = flags.oneOf('output', ['table', 'json']);
    const rows = rowsIn<HostRow>('hosts', await askFleet(fleetOf(flags), 'hosts', {}), FIELDS);
    if (format === 'json') printJson(rows);
    else printData(table(COLUMNS, rows));
    return 0;
  },
};
