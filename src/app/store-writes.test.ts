import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import type { StorePorts } from '../fleet/mod.ts';
import { EMPTY_DOCUMENT, openMemoryStore, type Store, TableStore } from '../store/mod.ts';
import { afterWrites, storePorts } from './store-writes.ts';

const ADDRESS = { id: 1, ip: '127.1.1.1', port: 9000 };
const ROW = { vm: 7, address: ADDRESS, host: 'h', pid: 9, startedMs: 1, lastConnectMs: 2, freeCount: 0 };
const REPORT = { seq: 1, cpuPercent: 3, ramBytes: 5, inFlight: 0, served: 0 };

/** Tables in which VM 7 has an address, and the ports of its fleet. */
async function withReservation(): Promise<{ readonly store: Store; readonly ports: StorePorts }> {
  const clock = new ManualClock();
  const store = await openMemoryStore({ clock });
  onTestFinished(() => store.close());
  await store.addAddresses([{ id_ip: 1, ip: ADDRESS.ip, port: ADDRESS.port, host: 'h' }]);
  await store.reserve(ADDRESS.id, ROW.vm, 0);
  return { store, ports: storePorts(store, 'present', clock) };
}

test('a VM has its row once: one that is adopted keeps it, and its figures are brought up to date', async () => {
  const { store, ports } = await withReservation();
  await ports.insert?.({ ...ROW, state: 'ready', report: REPORT, imageDigest: 'its own' });
  const [first] = store.snapshot().vmachine;
  expect(first).toMatchObject({ id_vmachine: 7, pid: 9, image_digest: 'its own', cpu: 3, state: 'ready' });
  const adopted = {
    ...ROW,
    pid: undefined,
    startedMs: 5,
    state: 'draining',
    report: { ...REPORT, cpuPercent: 4 },
  } as const;
  await ports.insert?.({ ...adopted, imageDigest: undefined });
  expect(store.snapshot().vmachine).toEqual([{ ...first, cpu: 4, state: 'draining' }]);
});

test('a row whose VM does not say what it was made from has the present image', async () => {
  const { store, ports } = await withReservation();
  await ports.insert?.({ ...ROW, state: 'ready', report: REPORT, imageDigest: undefined });
  expect(store.snapshot().vmachine).toMatchObject([{ image_digest: 'present' }]);
});

test('a router that is restarted sees what was being written, and does not wait for a disk that hangs', async () => {
  const clock = new ManualClock();
  const disk = Promise.withResolvers<void>();
  let isHanging = false;
  const save = (): Promise<void> => (isHanging ? disk.promise : Promise.resolve());
  const store = await TableStore.open(EMPTY_DOCUMENT, { save }, { clock });
  isHanging = true;
  void store.addAddresses([{ id_ip: 1, ip: ADDRESS.ip, port: ADDRESS.port, host: 'h' }]);
  const ended: string[] = [];
  const waitFor = async (name: string): Promise<void> => {
    await afterWrites(store, clock, 2_000);
    ended.push(`${name} ${store.snapshot().ip_pool.length}`);
  };
  const first = waitFor('limit');
  await clock.advance(1_999);
  expect(ended).toEqual([]);
  await clock.advance(1);
  await first;
  const second = waitFor('written');
  disk.resolve();
  await second;
  expect(ended).toEqual(['limit 0', 'written 1']);
});
