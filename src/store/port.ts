import type { Params } from '../fleet/mod.ts';
import type { IpPoolRow, Tables, VmachineRow } from './rows.ts';

/** An address as it enters the pool: free. */
export type NewAddress = Pick<IpPoolRow, 'id_ip' | 'ip' | 'port' | 'host'>;

/**
 * What a row of `vmachine` may lose in a crash: the next status line brings it again, and the state is what the host says when it adopts.
 */
export type SoftFields = Pick<VmachineRow, 'cpu' | 'ram' | 'free_count' | 'last_connect' | 'state'>;

/**
 * The three tables, with one writer. A change is durable once its promise resolves, and nothing may be acted on before. It is there in
 * full or not at all, whatever crashes when; changes made close together share one write and take effect in the order they were made.
 *
 * Every change rejects with STORE_WRITE_FAILED if it could not be written (the tables here stay as they were; what the disk holds is
 * settled by the next write that succeeds), with STORE_ROW_INVALID if a field has a value that is refused and with STORE_CLOSED after `close`.
 * One that asks for what is so already resolves once that is durable.
 */
export interface Store {
  /** What is durable, with the soft fields as they are now. The same object as before if nothing has changed. */
  snapshot(): Tables;

  /**
   * An id that no VM has had or will have, whatever crashes: its block is durable already, so that QEMU can be started while the
   * reservation goes to disk.
   * @throws STORE_WRITE_FAILED when no durable id is left, which means that the disk has refused writes for long
   */
  nextVmId(): number;

  /**
   * R3: the address is held by that VM from now on. So that an id is never given twice, `nextVmId` goes on above `vm` after this.
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

  /** Under the names of the table, checked together. @returns all parameters @throws CONFIG_VALUE */
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
   * Shows in `snapshot` at once, reaches the disk with the next durable change or within seconds, and may be lost. A VM without a row is
   * passed over: its first status line is `insertVm`.
   * @throws STORE_ROW_INVALID, STORE_CLOSED
   */
  touchVm(vm: number, fields: Partial<SoftFields>): void;

  /** Writes what is pending, soft fields too, and ends. What comes later is refused. */
  close(): Promise<void>;
}
