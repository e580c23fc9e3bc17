import { join } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import { type Address, parsePool, type Reservation } from '../fleet/mod.ts';
import type { Found } from '../hypervisor/mod.ts';
import { type IpPoolRow, openLowdbStore, type Store, setStoreAside } from '../store/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import type { UpOptions } from './up-options.ts';

export const POOL_DEFAULT = '127.0.10.1-127.0.10.50:9000';

const FILE = 'tables.json';

/** Opens the tables and puts into them what this start says about parameters. The stop writes what is pending. */
export async function openTables(options: UpOptions, data: DataDir, cleanUp: CleanUp): Promise<Store> {
  const path = join(data.path, FILE);
  const clock = systemClock;
  if (options.rebuild) {
    const aside = await setStoreAside(path, clock);
    if (aside !== undefined) options.onProgress(`the tables were set aside as ${aside}`);
  }
  const report = (error: unknown): void => options.onProgress(error instanceof Error ? error.message : String(error));
  const store = await openLowdbStore({ path, clock, report });
  cleanUp.add(() => store.close());
  await store.setParams(options.params);
  return store;
}

/**
 * Squares the tables with what really runs: VMs that run hold their addresses, and nobody else holds one. What cannot be identified keeps
 * the address that its row names.
 */
export async function squareWithReality(store: Store, found: readonly Found[], options: UpOptions): Promise<void> {
  const { host } = options;
  const isNew = store.snapshot().ip_pool.length === 0;
  const running = found.flatMap((one) => (one.kind === 'running' ? [one.manifest.spec] : []));
  const alive = new Set(found.flatMap((one) => idOf(one)));
  for (const row of store.snapshot().ip_pool) {
    if (row.vm !== null && !alive.has(row.vm)) await store.releaseVm(row.vm);
  }
  // First those that run: in tables made anew their addresses must have the ids that they have in the manifests.
  for (const { vm, address } of running) {
    const { id, ip, port } = address;
    await store.addAddresses([{ id_ip: id, ip, port, host }]);
    await store.reserve(id, vm, Date.now());
  }
  const wanted = options.pool ?? (isNew ? parsePool(POOL_DEFAULT) : undefined);
  if (wanted !== undefined) await adjustPool(store, wanted, host);
}

function idOf(found: Found): number[] {
  if (found.kind === 'gone') return [];
  const vm = found.kind === 'running' ? found.manifest.spec.vm : found.vm;
  return vm === undefined ? [] : [vm];
}

/** A pool that is named replaces the one of the last time, except for addresses that are held; they keep their ids. */
async function adjustPool(store: Store, wanted: readonly Address[], host: string): Promise<void> {
  const places = new Set(wanted.map(placeOf));
  for (const row of store.snapshot().ip_pool) {
    if (row.vm === null && !places.has(placeOf(row))) await store.removeAddress(row.id_ip);
  }
  await addAddresses(store, wanted, host);
}

/** Adds what is not there yet, under ids of its own. @returns how many were new */
export async function addAddresses(
  store: Store,
  wanted: readonly Pick<Address, 'ip' | 'port'>[],
  host: string,
): Promise<number> {
  const rows = store.snapshot().ip_pool;
  const there = new Set(rows.map(placeOf));
  let id = Math.max(0, ...rows.map((row) => row.id_ip));
  const missing = wanted.filter((address) => !there.has(placeOf(address)));
  return store.addAddresses(missing.map(({ ip, port }) => ({ id_ip: ++id, ip, port, host })));
}

/** Addresses that are held: by VMs that run, or by what could not be identified. */
export function reservationsOf(store: Store): readonly Reservation[] {
  return store.snapshot().ip_pool.flatMap((row) => (row.vm === null ? [] : [{ vm: row.vm, address: addressOf(row) }]));
}

export function poolOf(store: Store): readonly Address[] {
  return store.snapshot().ip_pool.map(addressOf);
}

export function addressOf({ id_ip, ip, port }: Pick<IpPoolRow, 'id_ip' | 'ip' | 'port'>): Address {
  return { id: id_ip, ip, port };
}

function placeOf({ ip, port }: Pick<Address, 'ip' | 'port'>): string {
  return `${ip}:${port}`;
}
