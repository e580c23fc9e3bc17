import { onTestFinished } from 'vitest';
import type { ManualClock } from '../../actors/kit/mod.ts';
import type { Store } from '../port.ts';
import { AT_MS, newAddresses, vmRow } from './rows.ts';

/** One place where tables are kept, fresh for each test. */
export interface StoreUnderTest {
  readonly clock: ManualClock;
  /** Opens it; if it is open already, as after a crash of whoever had it. */
  open(): Promise<Store>;
  /** From now on every write fails, or none. */
  failWrites(fail: boolean): void;
  dispose(): Promise<void>;
}

export interface OpenedStore extends StoreUnderTest {
  readonly store: Store;
}

/** What the tests of the conformance suite start from. */
export interface Places {
  /** A store with free addresses, by default 3; their ids count from 1. */
  setUp(addressCount?: number): Promise<OpenedStore>;
  /** With 3 addresses and a VM that has its row on the first. */
  withVm(): Promise<OpenedStore & { readonly vm: number }>;
}

export function placesFrom(makeStore: () => Promise<StoreUnderTest>): Places {
  async function setUp(addressCount = 3): Promise<OpenedStore> {
    const place = await makeStore();
    onTestFinished(() => place.dispose());
    const store = await place.open();
    if (addressCount > 0) await store.addAddresses(newAddresses(addressCount));
    return { ...place, store };
  }

  async function withVm(): Promise<OpenedStore & { readonly vm: number }> {
    const place = await setUp();
    const vm = place.store.nextVmId();
    await place.store.reserve(1, vm, AT_MS);
    await place.store.insertVm(vmRow(vm, 1));
    return { ...place, vm };
  }

  return { setUp, withVm };
}
