import type { Params } from '../fleet/mod.ts';
import type { IpPoolRow, Tables, VmachineRow } from './rows.ts';

/** An address as it enters the pool: free. */
export type NewAddress = Pick<IpPoolRow, 'id_ip' | 'ip' | 'port' | 'host'>;

/**
 * Fields of a row of `vmachine` that a crash may lose: the next status line brings them again, and the host reports the state at adoption.
 */
export type SoftFields = Pick<VmachineRow, 'cpu' | 'ram' | 'free_count' | 'last_connect' | 'state'>;

/**
 * The three tables, with one writer. A change is durable once its promise resolves, and the caller must not act on it before. After a crash
 * it is there in full or not at all. Changes made close together share one write and take effect in the order in which they were made.
 *
 * Every change rejects with STORE_WRITE_FAILED if it cannot be written (the tables in memory stay as they were; the next successful write
 * settles what the disk holds), with STORE_ROW_INVALID if a field has a bad value, and with STORE_CLOSED after `close`. A change that
 * changes nothing resolves once the present state is durable.
 */
export interface Store {
  /** The durable tables with the present soft fields. The same object as before if nothing has changed. */
  snapshot(): Tables;
  /** Whether `vmachine` has a row of the VM, without a snapshot of all. */
  hasVm(vm: number): boolean;

  /**
   * An id that no other VM ever has, also after a crash: its block is durable already, so that QEMU can start while the reservation goes
   * to disk.
   * @throws STORE_WRITE_FAILED if no durable id is left, because the disk has refused writes for long
   */
  nextVmId(): number;

  /**
   * R3: from now on the VM holds the address. Afterwards `nextVmId` is above `vm`, so that no id is given twice.
   * @param atMs milliseconds since the epoch
   * @throws STORE_CONFLICT if there is no such address, if another VM holds it or if the VM holds another one
   */
  reserve(idIp: number, vm: number, atMs: number): Promise<void>;

  /** The VM's row, at its first status line. @throws STORE_CONFLICT unless the VM holds `id_ip`, or if it has a row that differs */
  insertVm(row: VmachineRow): Promise<void>;

  /**
   * R8, after its process is confirmed gone, in one write: its row is deleted and its address is free, or gone if it was retired.
   * @returns false if it had neither
   */
  releaseVm(vm: number): Promise<boolean>;

  /** Sets parameters by their names in the table, checked together. @returns all parameters @throws CONFIG_VALUE */
  setParams(values: Readonly<Record<string, number | string>>): Promise<Params>;

  /**
   * Adds the addresses that are not there yet, and takes retired ones back.
   * @returns how many were new or retired
   * @throws STORE_CONFLICT if an `id_ip` is there with another address, or the address under another `id_ip`; then none is added
   */
  addAddresses(addresses: readonly NewAddress[]): Promise<number>;

  /** @returns false if there is no such address @throws STORE_CONFLICT while a VM holds it */
  removeAddress(idIp: number): Promise<boolean>;

  /** Takes an address out of the pool: at once, or when the VM that holds it is gone. @returns false if there is no such address */
  retireAddress(idIp: number): Promise<boolean>;

  /** Gives all rows of one host another host's name, in one write. @throws STORE_CONFLICT if that host has one of the addresses */
  renameHost(from: string, to: string): Promise<void>;

  /**
   * Shows in `snapshot` at once, reaches the disk with the next durable change or within seconds, and may be lost. It does nothing for a VM
   * without a row: its first status line calls `insertVm`.
   * @throws STORE_ROW_INVALID, STORE_CLOSED
   */
  touchVm(vm: number, fields: Partial<SoftFields>): void;

  /** Writes pending changes, soft fields included. Later changes are refused. */
  close(): Promise<void>;
}
