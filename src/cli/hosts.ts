import { rowsIn } from '../console/mod.ts';
import { askHosts } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { type Column, printData, printJson, table } from './output.ts';

interface HostRow {
  readonly host: string;
  readonly role: string;
  readonly state: string;
  readonly vms: number;
  readonly ready: number;
  readonly addresses: number;
  readonly addresses_free: number;
  readonly accelerator: string;
  readonly accelerator_why: string;
  readonly network: string;
  readonly qemu: string;
  readonly qemu_why: string;
  readonly image: string;
  readonly memory_mib: number;
  readonly params: string;
}

/** Of a host that does not answer nothing is known but its name. */
type AnyHost = HostRow | { readonly [name in keyof HostRow]: name extends 'host' | 'state' ? string : null };

const COLUMNS: readonly Column<AnyHost>[] = [
  { title: 'HOST', cell: (row) => row.host },
  { title: 'STATE', cell: (row) => row.state },
  { title: 'ROLE', cell: (row) => row.role ?? '-' },
  { title: 'VMS', align: 'right', cell: (row) => String(row.vms ?? '-') },
  { title: 'READY', align: 'right', cell: (row) => String(row.ready ?? '-') },
  {
    title: 'ADDRESSES FREE',
    align: 'right',
    cell: (row) => (row.addresses === null ? '-' : `${row.addresses_free} of ${row.addresses}`),
  },
  { title: 'ACCELERATOR', cell: (row) => row.accelerator ?? '-' },
  { title: 'MEMORY A VM', align: 'right', cell: (row) => (row.memory_mib === null ? '-' : `${row.memory_mib} MiB`) },
  { title: 'PARAMS', cell: (row) => row.params ?? '-' },
];

const FIELDS = {
  host: 'string',
  role: 'string',
  state: 'string',
  vms: 'number',
  ready: 'number',
  addresses: 'number',
  addresses_free: 'number',
  accelerator: 'string',
  memory_mib: 'number',
  params: 'string',
} as const;

export const hostsCommand: Command = {
  name: 'hosts',
  summary: 'lists the hosts of the fleet with their state, VMs and accelerators; PARAMS tells whose parameters differ',
  words: '',
  wordsMax: 0,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal hosts', 'one line per host']],
  async run({ flags }) {
    const format = flags.oneOf('output', ['table', 'json']);
    const { values, silent, exitCode } = await askHosts(flags, 'hosts', {});
    const known = values.flatMap(({ value }) => rowsIn<HostRow>('hosts', value, FIELDS));
    const rows = [...known, ...silent.map(silentRow)].sort((a, b) => (a.host < b.host ? -1 : 1));
    if (format === 'json') printJson(rows);
    else printData(table(COLUMNS, rows));
    return exitCode;
  },
};

function silentRow(host: string): AnyHost {
  return {
    host,
    role: null,
    state: 'silent',
    vms: null,
    ready: null,
    addresses: null,
    addresses_free: null,
    accelerator: null,
    accelerator_why: null,
    network: null,
    qemu: null,
    qemu_why: null,
    image: null,
    memory_mib: null,
    params: null,
  };
}
