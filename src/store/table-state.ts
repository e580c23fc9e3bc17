import type { StoreDocument } from './document.ts';
import type { SoftFields } from './port.ts';
import { type IpPoolRow, ipPoolRow, type SystemParamRow, type VmachineRow, vmachineRow } from './rows.ts';

interface Parts {
  readonly nextVmId: number;
  readonly params: Map<string, number>;
  readonly addresses: Map<number, IpPoolRow>;
  readonly vms: Map<number, VmachineRow>;
  readonly held: Map<number, number>;
}

/** The tables with the indexes for changes. A group of changes works on a copy, which replaces the original once it is durable. */
export class TableState {
  /** No VM has had this id or a higher one. */
  nextVmId: number;
  #changed = false;
  readonly #params: Map<string, number>;
  readonly #addresses: Map<number, IpPoolRow>;
  readonly #vms: Map<number, VmachineRow>;
  /** `id_ip` by the VM that holds it, where no row of `vmachine` says so: a VM has none before its first status line. */
  readonly #held: Map<number, number>;

  private constructor({ nextVmId, params, addresses, vms, held }: Parts) {
    this.nextVmId = nextVmId;
    this.#params = params;
    this.#addresses = addresses;
    this.#vms = vms;
    this.#held = held;
  }

  static of(document: StoreDocument): TableState {
    return new TableState({
      nextVmId: document.next_id_vmachine,
      params: new Map(document.system_params.map(({ key, value }) => [key, value])),
      addresses: new Map(document.ip_pool.map((row) => [row.id_ip, ipPoolRow(row)])),
      vms: new Map(document.vmachine.map((row) => [row.id_vmachine, vmachineRow(row)])),
      held: heldBeside(document),
    });
  }

  /** Whether it must be written: it differs from its original, or `mustBeWritten` was called. */
  get changed(): boolean {
    return this.#changed;
  }

  get addressCount(): number {
    return this.#addresses.size;
  }

  get addresses(): Iterable<IpPoolRow> {
    return this.#addresses.values();
  }

  get vms(): Iterable<VmachineRow> {
    return this.#vms.values();
  }

  get params(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#params);
  }

  copy(): TableState {
    return new TableState({
      nextVmId: this.nextVmId,
      params: new Map(this.#params),
      addresses: new Map(this.#addresses),
      vms: new Map(this.#vms),
      held: new Map(this.#held),
    });
  }

  address(idIp: number): IpPoolRow | undefined {
    return this.#addresses.get(idIp);
  }

  addressHeldBy(vm: number): IpPoolRow | undefined {
    const idIp = this.#held.get(vm) ?? this.#vms.get(vm)?.id_ip;
    const address = idIp === undefined ? undefined : this.#addresses.get(idIp);
    return address?.vm === vm ? address : undefined;
  }

  vm(id: number): VmachineRow | undefined {
    return this.#vms.get(id);
  }

  setParam(key: string, value: number): void {
    if (this.#params.get(key) === value) return;
    this.#params.set(key, value);
    this.#changed = true;
  }

  putAddress(row: IpPoolRow): void {
    const before = this.#addresses.get(row.id_ip);
    if (before !== undefined && before.vm !== null) this.#held.delete(before.vm);
    if (row.vm !== null && this.#vms.get(row.vm)?.id_ip !== row.id_ip) this.#held.set(row.vm, row.id_ip);
    this.#addresses.set(row.id_ip, ipPoolRow(row));
    this.#changed = true;
  }

  deleteAddress(idIp: number): void {
    const held = this.#addresses.get(idIp)?.vm ?? null;
    if (held !== null) this.#held.delete(held);
    if (this.#addresses.delete(idIp)) this.#changed = true;
  }

  putVm(row: VmachineRow): void {
    this.#vms.set(row.id_vmachine, vmachineRow(row));
    this.#held.delete(row.id_vmachine);
    this.#changed = true;
  }

  deleteVm(id: number): boolean {
    const address = this.addressHeldBy(id);
    const existed = this.#vms.delete(id);
    if (address !== undefined) this.#held.set(id, address.id_ip);
    if (existed) this.#changed = true;
    return existed;
  }

  /** From now on these are fields of the rows. */
  takeSoft(soft: ReadonlyMap<number, SoftFields>): void {
    for (const [vm, fields] of soft) {
      const row = this.#vms.get(vm);
      if (row !== undefined) this.#vms.set(vm, withSoft(row, fields));
    }
  }

  /** For a write without a change of durable fields: soft fields, a block of ids. */
  mustBeWritten(): void {
    this.#changed = true;
  }

  /** @param soft laid over the rows */
  toDocument(soft: ReadonlyMap<number, SoftFields> = new Map()): StoreDocument {
    const vmachine = sorted(this.#vms, (row) => row.id_vmachine).map((row) => withSoft(row, soft.get(row.id_vmachine)));
    const params = [...this.#params].map(([key, value]): SystemParamRow => Object.freeze({ key, value }));
    return Object.freeze({
      next_id_vmachine: this.nextVmId,
      system_params: Object.freeze(params.sort((one, other) => (one.key < other.key ? -1 : 1))),
      ip_pool: Object.freeze(sorted(this.#addresses, (row) => row.id_ip)),
      vmachine: Object.freeze(vmachine),
    });
  }
}

function heldBeside({ ip_pool, vmachine }: StoreDocument): Map<number, number> {
  const rows = new Set(vmachine.map(({ id_vmachine }) => id_vmachine));
  const held = ip_pool.flatMap(({ id_ip, vm }): [number, number][] => {
    return vm === null || rows.has(vm) ? [] : [[vm, id_ip]];
  });
  return new Map(held);
}

function sorted<Row>(rows: ReadonlyMap<number, Row>, key: (row: Row) => number): Row[] {
  return [...rows.values()].sort((one, other) => key(one) - key(other));
}

function withSoft(row: VmachineRow, soft: SoftFields | undefined): VmachineRow {
  return soft === undefined ? row : vmachineRow({ ...row, ...soft });
}
