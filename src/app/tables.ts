import { join } from 'node:path';
import { type Clock, systemClock } from '../actors/mod.ts';
import { messageOf } from '../errors.ts';
import { type Address, PARAMETERS, parsePool, type Reservation } from '../fleet/mod.ts';
import type { Found, MachineSpec } from '../hypervisor/mod.ts';
import { type IpPoolRow, openLowdbStore, type Store, setStoreAside } from '../store/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import type { UpOptions } from './up-options.ts';

export const POOL_DEFAULT = '127.0.10.1-127.0.10.50:9000';

/** The options of `up` for the tables. */
export type TableOptions = Pick<UpOptions, 'rebuild' | 'params' | 'onProgress'>;

/** The options of `up` for the pool. */
export interface PoolOptions {
  readonly host: string;
  readonly pool?: readonly Address[];
}

const FILE = 'tables.json';
/** The mandatory parameters have rows from the first start on. Others have a row once they are set. */
const PARAMETERS_WITH_ROWS = ['free_count', 'min_vm_count', 'last_connect_ms', 'ip_reserve_ms'];

/** Opens the tables and sets the parameters that `up` was given. The clean-up writes pending changes. */
export async function openTables(
  options: TableOptions,
  data: DataDir,
  cleanUp: CleanUp,
  clock: Clock = systemClock,
): Promise<Store> {
  const path = join(data.path, FILE);
  if (options.rebuild) {
    const aside = await setStoreAside(path, clock);
    if (aside !== undefined) options.onProgress(`the tables were set aside as ${aside}`);
  }
  const report = (error: unknown): void => options.onProgress(messageOf(error));
  const store = await openLowdbStore({ path, clock, report });
  cleanUp.add(() => store.close());
  await store.setParams({ ...missingParams(store), ...options.params });
  return store;
}

function missingParams(store: Store): Readonly<Record<string, number>> {
  const known = new Set(store.snapshot().system_params.map(({ key }) => key));
  const missing = PARAMETERS_WITH_ROWS.filter((name) => !known.has(name));
  return Object.fromEntries(missing.flatMap((name) => (PARAMETERS[name] ? [[name, PARAMETERS[name].default]] : [])));
}

/**
 * Brings the tables in line with the running VMs and the pool of this start, before the router starts. Reservations without a VM stay:
 * the router releases them once the controller has reported which VMs exist.
 */
export async function reconcile(
  store: Store,
  found: readonly Found[],
  options: PoolOptions,
  clock: Clock = systemClock,
): Promise<void> {
  const { host, pool } = options;
  const isNew = store.snapshot().ip_pool.length === 0;
  const there = new Set(found.flatMap(idOf));
  // Running VMs come first: in new tables their addresses must get the ids from the manifests.
  for (const one of found)
    if (one.kind === 'running') await recordRunning(store, one.manifest.spec, there, host, clock);
  const wanted = pool ?? (isNew ? parsePool(POOL_DEFAULT) : undefined);
  if (wanted === undefined) return;
  await retireOthers(store, wanted);
  await addAddresses(store, wanted, host);
}

/** The id of a VM that runs, or may run. */
export function idOf(found: Found): number[] {
  if (found.kind === 'gone') return [];
  const vm = found.kind === 'running' ? found.manifest.spec.vm : found.vm;
  return vm === undefined ? [] : [vm];
}

/** Tables that were restored from an older copy may name a dead VM on this address, or another address for this VM. */
async function recordRunning(
  store: Store,
  { vm, address }: Pick<MachineSpec, 'vm' | 'address'>,
  there: ReadonlySet<number>,
  host: string,
  clock: Clock,
): Promise<void> {
  const { id, ip, port } = address;
  for (const row of store.snapshot().ip_pool) {
    const isThisPlace = placeOf(row) === placeOf(address);
    if (row.vm === vm && !isThisPlace) await store.releaseVm(vm);
    else if (isThisPlace && row.vm !== null && row.vm !== vm && !there.has(row.vm)) await store.releaseVm(row.vm);
  }
  if (!store.snapshot().ip_pool.some((row) => placeOf(row) === placeOf(address))) {
    await store.addAddresses([{ id_ip: id, ip, port, host }]);
  }
  await store.reserve(id, vm, clock.now());
}

/** A new pool replaces the former one. An address that a VM holds stays until the VM is gone. */
async function retireOthers(store: Store, wanted: readonly Address[]): Promise<void> {
  const places = new Set(wanted.map(placeOf));
  const others = store.snapshot().ip_pool.filter((row) => !places.has(placeOf(row)));
  // Concurrent changes share one write.
  await Promise.all(others.map((row) => store.retireAddress(row.id_ip)));
}

/** Adds the addresses that are not in the pool, with new ids. @returns how many were new or retired */
export async function addAddresses(
  store: Store,
  wanted: readonly Pick<Address, 'ip' | 'port'>[],
  host: string,
): Promise<number> {
  const rows = store.snapshot().ip_pool;
  const known = new Map(rows.map((row) => [placeOf(row), row]));
  let id = Math.max(0, ...rows.map((row) => row.id_ip));
  const missing = wanted.flatMap(({ ip, port }) => {
    const row = known.get(placeOf({ ip, port }));
    if (row !== undefined && !row.retired) return [];
    return [{ id_ip: row?.id_ip ?? ++id, ip, port, host }];
  });
  return store.addAddresses(missing);
}

/** The reservations in the tables. Their VMs may be gone. */
export function reservationsOf(store: Store): readonly Reservation[] {
  return store.snapshot().ip_pool.flatMap((row) => (row.vm === null ? [] : [{ vm: row.vm, address: addressOf(row) }]));
}

/** The addresses on which VMs may start. */
export function poolOf(store: Store): readonly Address[] {
  return store
    .snapshot()
    .ip_pool.filter((row) => !row.retired)
    .map(addressOf);
}

export function addressOf({ id_ip, ip, port }: Pick<IpPoolRow, 'id_ip' | 'ip' | 'port'>): Address {
  return { id: id_ip, ip, port };
}

function placeOf({ ip, port }: Pick<Address, 'ip' | 'port'>): string {
  return `${ip}:${port}`;
}
