import { ShoalError } from '../errors.ts';
import { makeParams, type Params, paramsTable } from '../fleet/mod.ts';
import { checkedRow, checkFields, RowFault } from './checked-row.ts';
import { ROWS_MAX } from './document.ts';
import { IP_POOL, type RowChecks, VMACHINE } from './field-checks.ts';
import type { NewAddress } from './port.ts';
import type { IpPoolRow, VmachineRow } from './rows.ts';
import type { TableState } from './table-state.ts';

/** The changes of the port, as functions on the tables. A change that throws has changed nothing. */

export function reserve(state: TableState, idIp: number, vm: number, atMs: number): void {
  const address = state.address(idIp);
  if (address === undefined)
    throw conflict(`There is no address ${idIp} in the pool to reserve for VM ${vm}`, { idIp, vm });
  if (address.vm === vm) return;
  if (address.vm !== null) {
    throw conflict(`Address ${idIp} cannot be reserved for VM ${vm}: VM ${address.vm} holds it`, {
      idIp,
      vm,
      holder: address.vm,
    });
  }
  const other = state.addressHeldBy(vm);
  if (other !== undefined) {
    throw conflict(`Address ${idIp} cannot be reserved for VM ${vm}, which holds address ${other.id_ip}`, { idIp, vm });
  }
  const row = valid({ ...address, reserve: true, last_reserve: atMs, vm }, IP_POOL, 'ip_pool');
  state.putAddress(row);
}

/** An existing row is replaced: after an adoption the VM is inserted again. */
export function insertVm(state: TableState, values: VmachineRow): void {
  const row = valid(values, VMACHINE, 'vmachine');
  const { id_vmachine: vm, id_ip: idIp } = row;
  if (state.address(idIp)?.vm !== vm) {
    throw conflict(`VM ${vm} cannot stand on address ${idIp}: it does not hold that address`, { idIp, vm });
  }
  const before = state.vm(vm);
  if (before === undefined || !sameRow(before, row)) state.putVm(row);
}

export function releaseVm(state: TableState, vm: number): boolean {
  const address = state.addressHeldBy(vm);
  const hadRow = state.deleteVm(vm);
  if (address?.retired === true) state.deleteAddress(address.id_ip);
  else if (address !== undefined) state.putAddress(freed(address));
  return hadRow || address !== undefined;
}

export function setParams(state: TableState, values: Readonly<Record<string, number | string>>): Params {
  const params = makeParams(values, makeParams(state.params));
  for (const [name, value] of Object.entries(paramsTable(params))) {
    if (Object.hasOwn(values, name)) state.setParam(name, value);
  }
  return params;
}

export function addAddresses(state: TableState, addresses: readonly NewAddress[]): number {
  const idOf = new Map(Array.from(state.addresses, (row): [string, number] => [place(row), row.id_ip]));
  const fresh = new Map<number, IpPoolRow>();
  for (const { id_ip, ip, port, host } of addresses) {
    const free = { id_ip, ip, port, host, reserve: false, last_reserve: null, vm: null, retired: false };
    const row = valid(free, IP_POOL, 'ip_pool');
    const known = fresh.get(id_ip) ?? state.address(id_ip);
    const idThere = idOf.get(place(row));
    if (known !== undefined && place(known) !== place(row)) {
      throw conflict(`Address ${id_ip} cannot be ${place(row)}: it is ${place(known)}; remove that one first`, {
        idIp: id_ip,
      });
    }
    if (idThere !== undefined && idThere !== id_ip) {
      throw conflict(`${place(row)} cannot be address ${id_ip}: it is address ${idThere}`, { idIp: id_ip });
    }
    if (known !== undefined && !known.retired) continue;
    fresh.set(id_ip, known === undefined ? row : Object.freeze({ ...known, retired: false }));
    idOf.set(place(row), id_ip);
  }
  if (state.addressCount + fresh.size > ROWS_MAX) {
    throw conflict(
      `The pool cannot have ${state.addressCount + fresh.size} addresses; at most ${ROWS_MAX} are allowed`,
      {},
    );
  }
  for (const row of fresh.values()) state.putAddress(row);
  return fresh.size;
}

export function removeAddress(state: TableState, idIp: number): boolean {
  const address = state.address(idIp);
  if (address === undefined) return false;
  if (address.vm !== null) {
    throw conflict(`Address ${idIp} cannot be removed: VM ${address.vm} holds it; stop that VM first`, {
      idIp,
      holder: address.vm,
    });
  }
  state.deleteAddress(idIp);
  return true;
}

export function retireAddress(state: TableState, idIp: number): boolean {
  const address = state.address(idIp);
  if (address === undefined) return false;
  if (address.vm === null) state.deleteAddress(idIp);
  else if (!address.retired) state.putAddress(Object.freeze({ ...address, retired: true }));
  return true;
}

export function renameHost(state: TableState, from: string, to: string): void {
  if (from === to) return;
  const others = new Set([...state.addresses].filter(({ host }) => host === to).map(place));
  const renamed = [...state.addresses]
    .filter(({ host }) => host === from)
    .map((row) => valid({ ...row, host: to }, IP_POOL, 'ip_pool'));
  const clash = renamed.find((row) => others.has(place(row)));
  if (clash !== undefined) {
    throw conflict(`Host ${from} cannot become ${to}, which has ${clash.ip}:${clash.port} already`, {
      idIp: clash.id_ip,
    });
  }
  for (const row of renamed) state.putAddress(row);
  for (const row of [...state.vms]) {
    if (row.host === from) state.putVm(Object.freeze({ ...row, host: to }));
  }
}

/** @throws STORE_ROW_INVALID */
export function valid<Row extends object>(value: Row, checks: RowChecks<Row>, table: string): Row {
  return asStoreError(() => checkedRow(value, checks, table));
}

/** Fields that a row is to have, beside those that it has. @throws STORE_ROW_INVALID */
export function checkSome<Row extends object>(fields: Partial<Row>, checks: RowChecks<Row>, table: string): void {
  asStoreError(() => checkFields(fields, checks, table));
}

function asStoreError<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RowFault)) throw error;
    const { place: field, what } = error;
    throw new ShoalError('STORE_ROW_INVALID', `A row was not written: ${field} ${what}`, { details: { field } });
  }
}

function freed(address: IpPoolRow): IpPoolRow {
  return Object.freeze({ ...address, reserve: false, vm: null });
}

/** Each host may use the same address. */
function place({ host, ip, port }: Pick<IpPoolRow, 'host' | 'ip' | 'port'>): string {
  return `${ip}:${port} on ${host}`;
}

function sameRow(one: VmachineRow, other: VmachineRow): boolean {
  const values: Readonly<Record<string, unknown>> = { ...other };
  return Object.entries(one).every(([field, value]) => Object.is(values[field], value));
}

function conflict(message: string, details: Readonly<Record<string, number>>): ShoalError {
  return new ShoalError('STORE_CONFLICT', message, { details });
}
