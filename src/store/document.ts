import { messageOf } from '../errors.ts';
import { makeParams, VMS_MAX } from '../fleet/mod.ts';
import { isRecord } from '../is-record.ts';
import { checkedRow, checkField, RowFault } from './checked-row.ts';
import { COUNTER, IP_POOL, type RowChecks, SYSTEM_PARAM, VMACHINE } from './field-checks.ts';
import type { IpPoolRow, Tables, VmachineRow } from './rows.ts';

export const FORMAT = 'shoal-store';
/** Version 1 had no `ip_pool.retired`. */
export const VERSION = 2;

/** A table with more rows is a mistake and no fleet. */
export const ROWS_MAX = VMS_MAX;

/** The content of the file, without the format's name and version. */
export interface StoreDocument extends Tables {
  /** No VM has had this id or a higher one. */
  readonly next_id_vmachine: number;
}

export const EMPTY_DOCUMENT: StoreDocument = Object.freeze({
  next_id_vmachine: 1,
  system_params: Object.freeze([]),
  ip_pool: Object.freeze([]),
  vmachine: Object.freeze([]),
});

/** The content of a file of an earlier version, in the form of this one. */
export function upgraded(
  content: Readonly<Record<string, unknown>>,
  version: number,
): Readonly<Record<string, unknown>> {
  const { ip_pool: rows } = content;
  if (version > 1 || !Array.isArray(rows)) return content;
  return { ...content, ip_pool: rows.map((row: unknown) => (isRecord(row) ? { ...row, retired: false } : row)) };
}

/**
 * Checks each field, then the rows against each other: a contradiction could make two VMs share an address.
 * @param value the content of the file, without the format's name and version
 * @throws RowFault
 */
export function checkedDocument(value: Readonly<Record<string, unknown>>): StoreDocument {
  const { next_id_vmachine: next, system_params, ip_pool, vmachine, ...others } = value;
  for (const name of Object.keys(others)) throw new RowFault(name, 'is no part of this format');
  checkField(next, COUNTER, 'next_id_vmachine');
  const document: StoreDocument = {
    // The check above accepts whole numbers only.
    next_id_vmachine: next as number,
    system_params: checkedTable(system_params, SYSTEM_PARAM, 'system_params', ['key']),
    ip_pool: checkedTable(ip_pool, IP_POOL, 'ip_pool', ['id_ip'], ['host', 'ip', 'port']),
    vmachine: checkedTable(vmachine, VMACHINE, 'vmachine', ['id_vmachine'], ['id_ip']),
  };
  checkParams(document);
  checkReservations(document);
  checkHolders(document);
  return document;
}

/** @param uniques groups of fields; no two rows may agree in all fields of a group */
function checkedTable<Row extends object>(
  value: unknown,
  checks: RowChecks<Row>,
  table: string,
  ...uniques: readonly (readonly (string & keyof Row)[])[]
): readonly Row[] {
  if (!Array.isArray(value)) throw new RowFault(table, value === undefined ? 'is missing' : 'must be a list of rows');
  if (value.length > ROWS_MAX) throw new RowFault(table, `has ${value.length} rows; at most ${ROWS_MAX} are allowed`);
  const rows = value.map((row: unknown, index) => checkedRow(row, checks, `${table}[${index}]`));
  for (const fields of uniques) checkUnique(rows, fields, table);
  return Object.freeze(rows);
}

function checkUnique<Row>(rows: readonly Row[], fields: readonly (string & keyof Row)[], table: string): void {
  const seen = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    const values = fields.map((field) => row[field]);
    const key = JSON.stringify(values);
    const before = seen.get(key);
    if (before !== undefined) {
      const place = `${table}[${index}].${fields.join('+')}`;
      throw new RowFault(place, `is ${values.join(' ')}, which ${table}[${before}] has already`);
    }
    seen.set(key, index);
  }
}

function checkParams({ system_params }: StoreDocument): void {
  try {
    makeParams(Object.fromEntries(system_params.map(({ key, value }) => [key, value])));
  } catch (error) {
    throw new RowFault('system_params', `cannot be used: ${messageOf(error)}`);
  }
}

/** `reserve` is true exactly if a VM holds the address, and no VM holds two. */
function checkReservations({ ip_pool, next_id_vmachine }: StoreDocument): void {
  const holders = new Map<number, number>();
  for (const [index, row] of ip_pool.entries()) {
    const place = `ip_pool[${index}].vm`;
    if (row.reserve !== (row.vm !== null)) {
      throw new RowFault(
        place,
        `is ${row.vm} while reserve is ${row.reserve}: an address is reserved for a VM, or free`,
      );
    }
    if (row.retired && row.vm === null) {
      throw new RowFault(`ip_pool[${index}].retired`, 'is true for an address that no VM holds');
    }
    if (row.vm === null) continue;
    const before = holders.get(row.vm);
    if (before !== undefined) throw new RowFault(place, `is ${row.vm}, which holds ip_pool[${before}] already`);
    if (row.vm >= next_id_vmachine) throw new RowFault(place, tooHigh(row.vm, next_id_vmachine));
    holders.set(row.vm, index);
  }
}

/** Every VM holds the address of its row. */
function checkHolders({ vmachine, ip_pool }: StoreDocument): void {
  const addresses = new Map(ip_pool.map((row): [number, IpPoolRow] => [row.id_ip, row]));
  for (const [index, row] of vmachine.entries()) {
    const fault = holderFault(row, addresses.get(row.id_ip));
    if (fault !== undefined) throw new RowFault(`vmachine[${index}].id_ip`, fault);
  }
}

function holderFault(row: VmachineRow, address: IpPoolRow | undefined): string | undefined {
  if (address === undefined) return `is ${row.id_ip}, which is not in ip_pool`;
  if (address.vm === row.id_vmachine) return undefined;
  return `is ${row.id_ip}, which is ${address.vm === null ? 'free' : `held by VM ${address.vm}`} in ip_pool`;
}

function tooHigh(vm: number, next: number): string {
  return `is ${vm}, but next_id_vmachine is ${next}: that id would be given to a second VM`;
}
