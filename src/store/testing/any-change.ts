import fc from 'fast-check';
import type { Store } from '../port.ts';
import { AT_MS, newAddress, vmRow } from './rows.ts';

/** A change as a value, for property tests. */
export interface Change {
  make(store: Store): Promise<unknown>;
  /** Whether its answer waits for the disk. */
  readonly durable: boolean;
  /** As a counterexample shows it. */
  toString(): string;
}

/** Ids are few, so that changes meet each other. */
export function anyChange(): fc.Arbitrary<Change> {
  const idIp = fc.integer({ min: 1, max: 4 });
  const vm = fc.integer({ min: 1, max: 5 });
  const both = fc.tuple(idIp, vm);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: both.map(([a, v]) => durable(`reserve(${a}, ${v})`, (store) => store.reserve(a, v, AT_MS + v))),
    },
    {
      weight: 4,
      arbitrary: both.map(([a, v]) => durable(`insertVm(${v}, ${a})`, (store) => store.insertVm(vmRow(v, a)))),
    },
    { weight: 2, arbitrary: vm.map((v) => durable(`releaseVm(${v})`, (store) => store.releaseVm(v))) },
    idIp.map((a) => durable(`retireAddress(${a})`, (store) => store.retireAddress(a))),
    vm.map((v) => durable(`renameHost(${v})`, (store) => store.renameHost('one', v < 4 ? 'one' : 'two'))),
    vm.map((v) => durable(`setParams(${v})`, (store) => store.setParams({ free_count: v }))),
    idIp.map((a) => durable(`addAddresses(${a})`, (store) => store.addAddresses([newAddress(a)]))),
    idIp.map((a) => durable(`removeAddress(${a})`, (store) => store.removeAddress(a))),
    vm.map((v) => soft(`touchVm(${v})`, (store) => store.touchVm(v, { cpu: v }))),
    fc.constant(soft('nextVmId()', (store) => store.nextVmId())),
  );
}

function durable(text: string, make: Change['make']): Change {
  return { make, durable: true, toString: () => text };
}

function soft(text: string, act: (store: Store) => unknown): Change {
  return { make: async (store) => act(store), durable: false, toString: () => text };
}
