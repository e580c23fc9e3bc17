import { hostname } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '../errors.ts';
import { writeDurable } from '../process/mod.ts';
import type { Store } from '../store/mod.ts';
import { checkHostName, isHostName } from '../transport/mod.ts';
import { readDataFile } from './data-file.ts';

export interface HostNameOptions {
  readonly directory: string;
  readonly store: Store;
  /** The name that `up` was given. */
  readonly wanted: string | undefined;
  /** Counts the VMs that run, or may run, under the present name; called only if the name is to change. */
  readonly heldVms: () => Promise<number>;
  /** The machine's name, for the first start; default: the kernel's hostname. */
  readonly machine?: string;
}

const FILE = 'host';
const FALLBACK = 'host';

/**
 * The name of this host in replies and tables. The first start takes it from the machine; from then on the data directory keeps it, because
 * a machine may be renamed while VMs run.
 * @throws CONFIG_VALUE for a name that cannot be one, and for a change of name while VMs run; DATA_DIR_UNUSABLE
 */
export async function settleHostName(options: HostNameOptions): Promise<string> {
  const { directory, store, wanted, machine = hostname() } = options;
  if (wanted !== undefined) checkHostName(wanted);
  const path = join(directory, FILE);
  const written = read(path);
  const kept = written ?? store.snapshot().ip_pool[0]?.host;
  const name = wanted ?? kept ?? (isHostName(machine) ? machine : FALLBACK);
  if (kept !== undefined && kept !== name) {
    const held = await options.heldVms();
    if (held > 0) throw inUse(name, kept, held);
  }
  // A crash between the two writes leaves rows under either name.
  const others = new Set(store.snapshot().ip_pool.map(({ host }) => host));
  for (const other of others) await store.renameHost(other, name);
  if (written !== name) await writeDurable(path, `${name}\n`);
  return name;
}

function read(path: string): string | undefined {
  const text = readDataFile(path)?.toString().trim();
  if (text === undefined || isHostName(text)) return text;
  throw new ShoalError(
    'DATA_DIR_UNUSABLE',
    `The file ${path} is damaged: it must hold the name of this host; write it there, or remove the file to have it written again`,
    { details: { path } },
  );
}

function inUse(name: string, kept: string, held: number): ShoalError {
  const vms = held === 1 ? '1 VM runs' : `${held} VMs run`;
  return new ShoalError(
    'CONFIG_VALUE',
    `This host cannot be named "${name}": ${vms} under its present name "${kept}". Leave --host away, or end them first with \`shoal up\` and \`shoal down\``,
    { details: { parameter: 'host', value: name, present: kept, vms: held } },
  );
}
