import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';

/** What a fleet has outside of its data directory, or has in it that runs. */
export interface Leftovers {
  /** Command lines that name the fleet's data directory, its run directory or one of its addresses. */
  readonly processes: readonly string[];
  readonly runDirectories: readonly string[];
  /** Listening sockets on the addresses of its pool. */
  readonly ports: readonly string[];
}

/**
 * Looks in /proc and on disk, not at what Shoal says.
 * @param data the real path of the data directory, which may have been removed since
 */
export function leftovers({ data, pool }: { readonly data: string; readonly pool: string }): Leftovers {
  const tag = createHash('sha256').update(data).digest('hex').slice(0, 8);
  const network = pool.slice(0, pool.lastIndexOf('.', pool.indexOf('-')) + 1);
  const marks = [data, `/${tag}/`, `hostfwd=tcp:${network}`];
  return {
    processes: commandLines().filter(
      (line) => /qemu-system|nats-server|launcher-main/.test(line) && marks.some((mark) => line.includes(mark)),
    ),
    runDirectories: entriesOf(join(runtimeRoot(), tag)),
    ports: listening().filter((address) => address.startsWith(network)),
  };
}

function commandLines(): string[] {
  const lines: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      lines.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It ended while we looked.
    }
  }
  return lines;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const LISTEN = '0A';

/** `IP:PORT` of each listening socket: /proc/net/tcp has the address as a little-endian number in hexadecimal. */
function listening(): string[] {
  const [, ...rows] = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTEN)
    .map(([, local = '']) => {
      const [ip = '', port = ''] = local.split(':');
      const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(ip.slice(at, at + 2), 16));
      return `${bytes.join('.')}:${Number.parseInt(port, 16)}`;
    });
}
