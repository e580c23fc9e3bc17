import type { VmState } from '../fleet/mod.ts';

/** One row of `system_params`. A parameter without a row has its default, which a later version may change. */
export interface SystemParamRow {
  readonly key: string;
  readonly value: number;
}

/** One row of `ip_pool`. */
export interface IpPoolRow {
  readonly id_ip: number;
  readonly ip: string;
  readonly port: number;
  /** True from the reservation until the VM's process is confirmed gone. */
  readonly reserve: boolean;
  /** Milliseconds since the epoch; null if it was never reserved. */
  readonly last_reserve: number | null;
  /** The host that the address belongs to. */
  readonly host: string;
  /** The VM that holds it; a number exactly while `reserve` is true. */
  readonly vm: number | null;
  /** True while a VM holds an address that was taken out of the pool: the row goes with the VM. */
  readonly retired: boolean;
}

/** One row of `vmachine`, written at the VM's first status line (R7). */
export interface VmachineRow {
  readonly id_vmachine: number;
  readonly id_ip: number;
  /** % of the virtual CPU. */
  readonly cpu: number;
  /** Bytes. */
  readonly ram: number;
  /** Idle reports in a row. */
  readonly free_count: number;
  /** Milliseconds since the epoch. */
  readonly last_connect: number;
  readonly host: string;
  readonly state: VmState;
  /** Of its QEMU. This and the next two are null if the host has not reported them. */
  readonly pid: number | null;
  /** When that process started, in clock ticks since the host's boot: together with `pid` it identifies the process. */
  readonly start_ticks: number | null;
  readonly image_digest: string | null;
  /** Milliseconds since the epoch. */
  readonly started_ms: number;
}

/** The three tables at one moment, each in the order of its key. It never changes. */
export interface Tables {
  readonly system_params: readonly SystemParamRow[];
  readonly vmachine: readonly VmachineRow[];
  readonly ip_pool: readonly IpPoolRow[];
}

/**
 * The same row as one literal, whose fields all stand in the object: of one that was put together field by field, or spread from another,
 * most stand in a list beside it, which takes a third more.
 */
export function ipPoolRow({ id_ip, ip, port, reserve, last_reserve, host, vm, retired }: IpPoolRow): IpPoolRow {
  return Object.freeze({ id_ip, ip, port, reserve, last_reserve, host, vm, retired });
}

/** As above. */
export function vmachineRow(row: VmachineRow): VmachineRow {
  const { id_vmachine, id_ip, cpu, ram, free_count, last_connect, host, state } = row;
  const { pid, start_ticks, image_digest, started_ms } = row;
  return Object.freeze({
    id_vmachine,
    id_ip,
    cpu,
    ram,
    free_count,
    last_connect,
    host,
    state,
    pid,
    start_ticks,
    image_digest,
    started_ms,
  });
}
