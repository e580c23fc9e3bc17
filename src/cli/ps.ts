import { hasManyImages, mergedSnapshot, shortBytes, shortDuration, snapshotIn, vmName } from '../console/mod.ts';
import { shortDigest, type VmRow } from '../fleet/mod.ts';
import { askHosts } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { type Column, printable, printData, printJson, say, table } from './output.ts';

/** What a host adds to the row of a VM; an older one does not. */
type PsRow = VmRow & { readonly network?: unknown };

const COLUMNS: readonly Column<PsRow>[] = [
  { title: 'STATE', cell: stateOf },
  { title: 'ADDRESS', cell: addressOf },
  { title: 'HOST', cell: (vm) => vm.host },
  { title: 'CPU', align: 'right', cell: (vm) => (vm.cpu === null ? '-' : `${vm.cpu.toFixed(1)} %`) },
  { title: 'RAM', align: 'right', cell: (vm) => shortBytes(vm.ram) },
  { title: 'MEMORY', align: 'right', cell: memoryOf },
  { title: 'IN FLIGHT', align: 'right', cell: (vm) => String(vm.in_flight) },
  { title: 'SERVED', align: 'right', cell: (vm) => String(vm.served) },
  { title: 'IDLE', align: 'right', cell: (vm) => String(vm.free_count) },
  { title: 'UPTIME', align: 'right', cell: (vm) => shortDuration(vm.uptime_ms) },
];

const IMAGE: Column<VmRow> = { title: 'IMAGE', cell: (vm) => shortDigest(vm.image_digest ?? '-') };

/** What it was started with. An older fleet does not tell. */
function memoryOf({ memory_mib }: { readonly memory_mib?: number | null }): string {
  return memory_mib === undefined || memory_mib === null ? '-' : `${memory_mib} MiB`;
}

/** With the reason of a VM that is about to go. An older fleet gives none. */
function stateOf({ state, reason }: VmRow): string {
  return state === 'draining' || state === 'stopping' ? `${state}${reason ? ` (${reason})` : ''}` : state;
}

/** Without a network nobody listens there: the address is only what the VM is known by. */
function addressOf({ address, network }: PsRow): string {
  return network === 'none' ? `${address} (no network)` : address;
}

export const psCommand: Command = {
  name: 'ps',
  summary: 'lists the VMs with their state and load',
  words: '',
  wordsMax: 0,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal ps', 'a table'],
    ['shoal ps --host b', 'the VMs of one host of the fleet'],
    ['shoal ps -o json', 'the same for a program'],
  ],
  async run({ flags }) {
    const format = flags.oneOf('output', ['table', 'json']);
    const { values, silent, isMany, exitCode } = await askHosts(flags, 'ps', {});
    const looks = values.map(({ host, value }) => ({ host, snapshot: snapshotIn(value) }));
    const fleet = mergedSnapshot([...looks, ...silent.map((host) => ({ host, snapshot: undefined }))]);
    const vm: Column<VmRow> = { title: 'VM', align: 'right', cell: (row) => vmName(row, isMany) };
    if (format === 'json') printJson(fleet);
    else {
      printData(table([vm, ...COLUMNS, ...(hasManyImages(fleet) ? [IMAGE] : [])], fleet.vms));
      if (fleet.blocked !== null) say(printable(`shoal: no VM can be started: ${fleet.blocked}`));
    }
    return exitCode;
  },
};
