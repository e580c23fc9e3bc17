import type { Clock } from '../actors/mod.ts';
import type { StorePorts, VmTableRow, VmTableUpdate } from '../fleet/mod.ts';
import type { SoftFields, Store, VmachineRow } from '../store/mod.ts';

/** The store, as the port to which the fleet writes. */
export function storePorts(store: Store, imageDigest: string, clock: Clock): StorePorts {
  return {
    reserve: (vm, address) => store.reserve(address.id, vm, clock.now()),
    insert: (record) => insert(store, record, imageDigest),
    release: (vm) => store.releaseVm(vm),
    touch: (vm, touch) => store.touchVm(vm, softOf(touch)),
  };
}

/** Resolves when what is being written is durable, or has failed, and at the limit at the latest: a disk may hang. */
export function afterWrites(store: Store, clock: Clock, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.timer(limitMs, resolve);
    const done = (): void => {
      cancel();
      resolve();
    };
    // It comes after what is being written.
    store.setParams({}).then(done, done);
  });
}

/** An adopted VM has a row already: only its soft fields are updated. */
async function insert(store: Store, record: VmTableRow, imageDigest: string): Promise<void> {
  if (store.hasVm(record.vm)) store.touchVm(record.vm, softOf(record));
  else await store.insertVm(rowOf(record, imageDigest));
}

function rowOf(record: VmTableRow, imageDigest: string): VmachineRow {
  return {
    id_vmachine: record.vm,
    id_ip: record.address.id,
    ...softOf(record),
    host: record.host,
    pid: record.pid ?? null,
    // The manifest in the run directory identifies the process. The row is for people.
    start_ticks: null,
    image_digest: record.imageDigest ?? imageDigest,
    started_ms: record.startedMs,
  };
}

function softOf({ state, report, freeCount, lastConnectMs }: VmTableUpdate): SoftFields {
  return { state, cpu: report.cpuPercent, ram: report.ramBytes, free_count: freeCount, last_connect: lastConnectMs };
}
