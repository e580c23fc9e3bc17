import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { identify, type ProcessIdentity } from '../../src/process/mod.ts';
import type { TestFleet } from './fleet.ts';

/** Identifies the processes of a fleet. */
export interface FleetPlace {
  /** The real path of the data directory; it may have been removed. */
  readonly data: string;
  readonly pool: string;
}

export interface FleetProcess {
  readonly kind: 'qemu' | 'nats-server';
  readonly identity: ProcessIdentity;
  /** The address that a QEMU forwards, or that its guest is known by, `IP:PORT`. */
  readonly address: string | undefined;
  readonly vm: number | undefined;
  readonly commandLine: string;
}

/** The name of everything of a fleet that is outside of its data directory. */
export function tagOf(data: string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 8);
}

/** The first three bytes of the addresses of a pool, with the dot that follows. */
export function networkOf(pool: string): string {
  return pool.slice(0, pool.lastIndexOf('.', pool.indexOf('-')) + 1);
}

/** Looks in /proc, and does not ask Shoal. Zombies are left out. VMs come in the order of their ids. */
export function processesOf({ data, pool }: FleetPlace): FleetProcess[] {
  const marks = [data, `/${tagOf(data)}/`, `hostfwd=tcp:${networkOf(pool)}`];
  const found = allProcesses().flatMap(({ pid, commandLine }): FleetProcess[] => {
    // What confines a QEMU names it in its own arguments, and ends with it.
    const kind = /^\S*qemu-system/.test(commandLine)
      ? 'qemu'
      : /nats-server/.test(commandLine)
        ? 'nats-server'
        : undefined;
    const identity = identify(pid);
    if (kind === undefined || identity === undefined || !marks.some((mark) => commandLine.includes(mark))) return [];
    const address = /(?:hostfwd=tcp:|shoal\.addr=)([\d.]+:\d+)/.exec(commandLine)?.[1];
    const vm = /shoal\.id=(\d+)/.exec(commandLine)?.[1];
    return [{ kind, identity, address, vm: vm === undefined ? undefined : Number(vm), commandLine }];
  });
  // VMs that start at once get their pids in any order.
  return found.sort((a, b) => (a.vm ?? 0) - (b.vm ?? 0));
}

export function qemusOf(fleet: FleetPlace): FleetProcess[] {
  return processesOf(fleet).filter(({ kind }) => kind === 'qemu');
}

/** The running `shoal up` of a fleet, if there is one. */
export function upOf({ data }: FleetPlace): ProcessIdentity | undefined {
  const found = allProcesses().find(
    ({ commandLine }) => /main\.[jt]s up .*--data (\S+)/.exec(commandLine)?.[1] === data,
  );
  return found === undefined ? undefined : identify(found.pid);
}

/** The launcher of an `up`, identified by its parent. After its death there is none until Shoal needs one. */
export function launcherOf(up: { readonly pid: number }): ProcessIdentity | undefined {
  const found = allProcesses().find(
    ({ pid, commandLine }) => commandLine.includes('launcher-main') && parentOf(pid) === up.pid,
  );
  return found === undefined ? undefined : identify(found.pid);
}

/** Addresses of more than one QEMU; there must never be any. */
export function sharedAddresses(fleet: FleetPlace): string[] {
  const addresses = qemusOf(fleet).flatMap(({ address }) => address ?? []);
  return addresses.filter((address, index) => addresses.indexOf(address) !== index);
}

function allProcesses(): { pid: number; commandLine: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), commandLine: textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }));
}

function parentOf(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Empty if the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A field of `/proc/PID/status`. */
export function statusFieldOf(pid: number, field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
}

/** Kills the VM that has a request in work. @returns its id */
export async function killBusyVm(fleet: TestFleet): Promise<number> {
  const busy = await fleet.until('it is in work', ({ vms }) => vms.some(({ in_flight }) => in_flight > 0));
  const vm = busy.vms.find(({ in_flight }) => in_flight > 0)?.id_vmachine;
  const pid = qemusOf(fleet).find((one) => one.vm === vm)?.identity.pid;
  if (vm === undefined || pid === undefined) throw new Error('it runs');
  process.kill(pid, 'SIGKILL');
  return vm;
}
