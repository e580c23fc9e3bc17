import type { CancelTimer, Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { Params } from '../fleet/mod.ts';
import * as changes from './changes.ts';
import { CommitQueue } from './commit-queue.ts';
import type { StoreDocument } from './document.ts';
import { isId, SOFT_FIELDS } from './field-checks.ts';
import type { NewAddress, SoftFields, Store } from './port.ts';
import type { Tables, VmachineRow } from './rows.ts';
import { TableState } from './table-state.ts';
import { VmIds } from './vm-ids.ts';

/** The place that keeps the tables as a whole. */
export interface Backing {
  /** Resolves once the document survives a crash. If it rejects, either this one or the one before does. @throws STORE_WRITE_FAILED */
  save(document: StoreDocument): Promise<void>;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** Told of each failed write of soft fields or ids, for which no caller waits. The write is tried again. */
  readonly report?: (error: unknown) => void;
}

/** How long soft fields wait for a durable change before they are written alone. */
const SOFT_WRITE_MS = 5_000;

/** A store on anything that can keep one document. It copies its arguments, because a change may wait for the one before it. */
export class TableStore implements Store {
  readonly #queue: CommitQueue;
  readonly #backing: Backing;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #ids: VmIds;
  #idsAsked = false;
  /** Soft fields that are not durable yet, only for VMs with a row. */
  readonly #soft = new Map<number, SoftFields>();
  #softUnwritten = false;
  #softTimer: CancelTimer | undefined;
  /** The latest result of `snapshot` and its state; undefined once a soft field has changed. */
  #shown: { readonly state: TableState; readonly tables: Tables } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(document: StoreDocument, backing: Backing, { clock, report = () => undefined }: StoreOptions) {
    this.#queue = new CommitQueue(TableState.of(document), (draft) => this.#save(draft));
    this.#backing = backing;
    this.#clock = clock;
    this.#report = report;
    this.#ids = new VmIds(document.next_id_vmachine);
  }

  /** Writes the first block of ids, so that a disk that takes no writes fails now and not at the first VM. */
  static async open(document: StoreDocument, backing: Backing, options: StoreOptions): Promise<Store> {
    const store = new TableStore(document, backing, options);
    await store.#queue.submit((draft) => draft.mustBeWritten());
    return store;
  }

  snapshot(): Tables {
    const { state } = this.#queue;
    if (this.#shown?.state !== state) {
      const { system_params, vmachine, ip_pool } = state.toDocument(this.#soft);
      this.#shown = { state, tables: Object.freeze({ system_params, vmachine, ip_pool }) };
    }
    return this.#shown.tables;
  }

  hasVm(vm: number): boolean {
    return this.#queue.state.vm(vm) !== undefined;
  }

  nextVmId(): number {
    this.#checkOpen();
    const id = this.#ids.take();
    if (this.#ids.isLow(this.#queue.state.addressCount)) this.#askForIds();
    if (id === undefined) throw idsUsedUp();
    return id;
  }

  async reserve(idIp: number, vm: number, atMs: number): Promise<void> {
    this.#checkOpen();
    // Even before it is durable: the caller uses that id already.
    if (isId(vm)) this.#ids.skipPast(vm);
    return this.#queue.submit((draft) => changes.reserve(draft, idIp, vm, atMs));
  }

  async insertVm(row: VmachineRow): Promise<void> {
    this.#checkOpen();
    // Soft fields from before are older than the row.
    if (this.#soft.delete(row.id_vmachine)) this.#softChanged();
    const copy = { ...row };
    return this.#queue.submit((draft) => changes.insertVm(draft, copy));
  }

  async releaseVm(vm: number): Promise<boolean> {
    this.#checkOpen();
    return this.#queue.submit((draft) => changes.releaseVm(draft, vm));
  }

  async setParams(values: Readonly<Record<string, number | string>>): Promise<Params> {
    this.#checkOpen();
    const copy = { ...values };
    return this.#queue.submit((draft) => changes.setParams(draft, copy));
  }

  async addAddresses(addresses: readonly NewAddress[]): Promise<number> {
    this.#checkOpen();
    const copies = addresses.map((address) => ({ ...address }));
    return this.#queue.submit((draft) => changes.addAddresses(draft, copies));
  }

  async removeAddress(idIp: number): Promise<boolean> {
    this.#checkOpen();
    return this.#queue.submit((draft) => changes.removeAddress(draft, idIp));
  }

  async retireAddress(idIp: number): Promise<boolean> {
    this.#checkOpen();
    return this.#queue.submit((draft) => changes.retireAddress(draft, idIp));
  }

  async renameHost(from: string, to: string): Promise<void> {
    this.#checkOpen();
    return this.#queue.submit((draft) => changes.renameHost(draft, from, to));
  }

  touchVm(vm: number, fields: Partial<SoftFields>): void {
    this.#checkOpen();
    const known = this.#soft.get(vm) ?? this.#queue.state.vm(vm);
    if (known === undefined || !this.hasVm(vm)) return;
    changes.checkSome(fields, SOFT_FIELDS, 'vmachine');
    this.#soft.set(vm, softFields({ ...known, ...fields }));
    this.#softChanged();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#softTimer?.();
    await this.#queue.submit((draft) => draft.mustBeWritten());
  }

  async #save(draft: TableState): Promise<() => void> {
    // At the close unused ids go back, so that only a crash skips some.
    draft.nextVmId =
      this.#closing === undefined ? this.#ids.counterToWrite(draft.nextVmId, draft.addressCount) : this.#ids.next;
    const softUnwritten = this.#softUnwritten;
    this.#softUnwritten = false;
    const soft = new Map(this.#soft);
    draft.takeSoft(soft);
    try {
      await this.#backing.save(draft.toDocument());
    } catch (error) {
      this.#softUnwritten ||= softUnwritten;
      throw error;
    }
    this.#ids.wasWritten(draft.nextVmId);
    return () => this.#forgetWritten(draft, soft);
  }

  /** The rows have these soft fields now. Those of a VM that was touched meanwhile are newer. */
  #forgetWritten(durable: TableState, written: ReadonlyMap<number, SoftFields>): void {
    for (const [vm, fields] of this.#soft) {
      if (durable.vm(vm) === undefined || fields === written.get(vm)) this.#soft.delete(vm);
    }
  }

  #softChanged(): void {
    this.#shown = undefined;
    this.#softUnwritten = true;
    this.#armSoftTimer();
  }

  #armSoftTimer(): void {
    this.#softTimer ??= this.#clock.timer(SOFT_WRITE_MS, () => this.#writeSoft());
  }

  #writeSoft(): void {
    this.#softTimer = undefined;
    if (!this.#softUnwritten) return;
    void this.#inBackground().then((written) => {
      if (!written && this.#closing === undefined) this.#armSoftTimer();
    });
  }

  #askForIds(): void {
    if (this.#idsAsked) return;
    this.#idsAsked = true;
    void this.#inBackground().then(() => {
      this.#idsAsked = false;
    });
  }

  /** @returns whether it was written; a failure is reported, because no caller waits */
  async #inBackground(): Promise<boolean> {
    try {
      await this.#queue.submit((draft) => draft.mustBeWritten());
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ShoalError('STORE_CLOSED', 'The tables are closed: Shoal is ending');
  }
}

/** One literal, as `vmachineRow` is. */
function softFields({ cpu, ram, free_count, last_connect, state }: SoftFields): SoftFields {
  return { cpu, ram, free_count, last_connect, state };
}

function idsUsedUp(): ShoalError {
  return new ShoalError(
    'STORE_WRITE_FAILED',
    'No id is left for another VM: the disk has taken none of the blocks of ids that were to be written; see that it takes writes again',
  );
}
