import type { NewAddress } from '../port.ts';
import type { IpPoolRow, Tables, VmachineRow } from '../rows.ts';

/** A time of day, milliseconds since the epoch. */
export const AT_MS = Date.UTC(2026, 0, 1);

export function newAddress(idIp: number): NewAddress {
  return { id_ip: idIp, ip: `127.0.${10 + (idIp >> 8)}.${idIp & 255}`, port: 9000, host: 'one' };
}

export function newAddresses(count: number): NewAddress[] {
  return Array.from({ length: count }, (_, index) => newAddress(index + 1));
}

export function vmRow(vm: number, idIp: number, values: Partial<VmachineRow> = {}): VmachineRow {
  return {
    id_vmachine: vm,
    id_ip: idIp,
    cpu: 1.5,
    ram: 40_000_000,
    free_count: 0,
    last_connect: AT_MS,
    host: 'one',
    state: 'ready',
    pid: 4_000 + vm,
    start_ticks: 123_456,
    image_digest: 'sha256:0123',
    started_ms: AT_MS - 500,
    ...values,
  };
}

/** The row of an address that nobody has held yet. */
export function freeRow(idIp: number): IpPoolRow {
  return { ...newAddress(idIp), reserve: false, last_reserve: null, vm: null, retired: false };
}

/** What of the tables may not be lost. */
export function durablePart({ system_params, ip_pool, vmachine }: Tables): unknown {
  const rows = vmachine.map(({ cpu, ram, free_count, last_connect, state, ...durable }) => durable);
  return { system_params, ip_pool, vmachine: rows };
}
