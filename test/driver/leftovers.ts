import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { openFilesOf } from '../open-files.ts';
import { type FleetPlace, networkOf, processesOf, tagOf } from './processes.ts';

/** Everything of a fleet outside of its data directory, and its processes. */
export interface Leftovers {
  /** Command lines that name the fleet's data directory, its run directory or one of its addresses. */
  readonly processes: readonly string[];
  readonly runDirectories: readonly string[];
  /** Listening sockets on the addresses of its pool. */
  readonly ports: readonly string[];
}

/** Looks in /proc and on disk, and does not ask Shoal. */
export function leftovers(fleet: FleetPlace): Leftovers {
  const network = networkOf(fleet.pool);
  return {
    processes: processesOf(fleet).map(({ commandLine }) => commandLine),
    runDirectories: entriesOf(join(runtimeRoot(), tagOf(fleet.data))),
    ports: listeners()
      .map(({ address }) => address)
      .filter((address) => address.startsWith(network)),
  };
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const LISTEN = '0A';

/** `IP:PORT` of each socket on which a process listens. */
export function listenersOf(pid: number): string[] {
  const open = new Set(openFilesOf(pid));
  return listeners()
    .filter(({ inode }) => open.has(`socket:[${inode}]`))
    .map(({ address }) => address);
}

/** /proc/net/tcp has an address as a little-endian number in hexadecimal. */
function listeners(): readonly { readonly address: string; readonly inode: string }[] {
  const [, ...rows] = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTEN)
    .map((fields) => {
      const [ip = '', port = ''] = fields[1]?.split(':') ?? [];
      const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(ip.slice(at, at + 2), 16));
      return { address: `${bytes.join('.')}:${Number.parseInt(port, 16)}`, inode: fields[9] ?? '' };
    });
}
