import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { openLowdbStore } from './lowdb-store.ts';
import type { Store } from './port.ts';
import { AT_MS, newAddress, newAddresses, vmRow } from './testing/rows.ts';
import { type Fault, type Operation, SimulatedFiles } from './testing/simulated-files.ts';
import { storeConformance } from './testing/store-conformance.ts';

const PATH = '/data/store.json';

storeConformance('the store in lowdb', async () => {
  const clock = new ManualClock();
  let files = new SimulatedFiles();
  return {
    clock,
    open() {
      files = files.crash(() => 0.5);
      return openLowdbStore({ path: PATH, clock, files });
    },
    failWrites(fail) {
      files.faults = () => (fail ? 'ENOSPC' : undefined);
    },
    dispose: async () => undefined,
  };
});

describe('group commit', () => {
  it('writes once for all changes of one turn', async () => {
    const { store, files } = await open();
    const before = count(files, 'rename');
    await Promise.all([store.reserve(1, 1, AT_MS), store.reserve(2, 2, AT_MS), store.setParams({ free_count: 3 })]);
    expect(count(files, 'rename') - before).toBe(1);
  });

  it('writes once for all that come while a write is under way', async () => {
    const { store, files } = await open();
    const before = count(files, 'rename');
    let others: readonly Promise<unknown>[] = [];
    files.faults = ({ kind }) => {
      if (kind === 'sync' && others.length === 0) {
        others = [store.reserve(2, 2, AT_MS), store.releaseVm(1), store.reserve(3, 3, AT_MS)];
      }
      return undefined;
    };
    await store.reserve(1, 1, AT_MS);
    await Promise.all(others);
    expect(count(files, 'rename') - before).toBe(2);
    expect(store.snapshot().ip_pool.map((row) => row.vm)).toEqual([null, 2, 3]);
  });

  it('writes nothing for what is so already', async () => {
    const { store, files } = await open();
    await store.reserve(1, 1, AT_MS);
    const before = files.operations.length;
    await Promise.all([store.reserve(1, 1, AT_MS), store.releaseVm(9), store.addAddresses(newAddresses(3))]);
    expect(files.operations.length).toBe(before);
  });

  it('writes before it resolves: content first, then the name', async () => {
    const { store, files } = await open();
    const before = files.operations.length;
    await store.reserve(1, 1, AT_MS);
    const kinds = files.operations.slice(before).map(({ kind }) => kind);
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual([
      'create',
      'write',
      'sync',
      'close',
      'rename',
      'sync-folder',
    ]);
  });

  it('writes the ids and the soft fields along, so that they cost nothing of their own', async () => {
    const { store, files, clock } = await open();
    await store.reserve(1, 1, AT_MS);
    await store.insertVm(vmRow(1, 1));
    store.touchVm(1, { cpu: 33 });
    await store.reserve(2, 2, AT_MS);
    const before = count(files, 'rename');
    await clock.advance(60_000);
    expect(count(files, 'rename')).toBe(before);
    expect(textOf(files)).toContain('"cpu":33');
  });
});

describe('a disk with faults', () => {
  it.each([
    ['ENOSPC', 'make room'],
    ['EDQUOT', 'make room'],
    ['EIO', 'see that its disk and folder take writes'],
  ] as const)('names the file, the reason and the remedy: %s, %s', async (cause, remedy) => {
    const { store, files } = await open();
    files.faults = fail('write', cause);
    const failed = store.reserve(1, 1, AT_MS);
    await expect(failed).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED', details: { path: PATH, cause } });
    await expect(failed).rejects.toThrow(new RegExp(`/data/store\\.json.*${cause}.*${remedy}`));
  });

  it.each(['create', 'write', 'sync', 'close', 'rename', 'sync-folder'] as const)(
    'leaves the tables as they were when %s fails, and goes on when it no longer does',
    async (kind) => {
      const { store, files, clock } = await open();
      const before = store.snapshot();
      files.faults = fail(kind, 'EIO');
      await expect(store.reserve(1, 1, AT_MS)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
      expect(store.snapshot()).toEqual(before);
      expect([...files.content.keys()]).toEqual(['store.json']);
      files.faults = () => undefined;
      await store.reserve(2, 2, AT_MS);
      const after = store.snapshot();
      expect(after.ip_pool.map((row) => row.vm)).toEqual([null, 2, null]);
      const again = await openLowdbStore({ path: PATH, clock, files: files.crash(() => 0.5) });
      expect(again.snapshot()).toEqual(after);
    },
  );

  it('settles what a failed write may have left on disk before it says that nothing was to be done', async () => {
    const { store, files, clock } = await open();
    files.faults = fail('sync-folder', 'EIO');
    await expect(store.reserve(1, 1, AT_MS)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
    files.faults = () => undefined;
    expect(await store.releaseVm(1)).toBe(false);
    const again = await openLowdbStore({ path: PATH, clock, files: files.crash(() => 0) });
    expect(again.snapshot().ip_pool[0]).toMatchObject({ reserve: false });
  });

  it('reports what nobody waits for', async () => {
    const { store, files, clock, reported } = await open();
    await store.reserve(1, 1, AT_MS);
    await store.insertVm(vmRow(1, 1));
    files.faults = fail('write', 'ENOSPC');
    store.touchVm(1, { cpu: 33 });
    await clock.advance(5_000);
    expect(reported).toMatchObject([{ code: 'STORE_WRITE_FAILED' }]);
  });

  it('is told at the start', async () => {
    const files = new SimulatedFiles();
    files.faults = fail('create', 'ENOSPC');
    const opened = openLowdbStore({ path: PATH, clock: new ManualClock(), files });
    await expect(opened).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
  });
});

describe('a store that is closed', () => {
  it('leaves no timer behind', async () => {
    const { store, clock } = await open();
    await store.reserve(1, 1, AT_MS);
    await store.insertVm(vmRow(1, 1));
    store.touchVm(1, { cpu: 33 });
    await store.close();
    expect(clock.pending).toBe(0);
  });
});

describe('the file', () => {
  it('is private, readable for people, and the only one in its folder', async () => {
    const { store, folder, path } = await openReal();
    await store.addAddresses(newAddresses(2));
    await store.setParams({ free_count: 7 });
    await store.close();
    expect(await readdir(folder)).toEqual(['store.json']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path, 'utf8')).split('\n')).toEqual([
      '{"format":"shoal-store","version":2,"next_id_vmachine":1,',
      '"system_params":[',
      '{"key":"free_count","value":7}',
      '],',
      '"ip_pool":[',
      '{"id_ip":1,"ip":"127.0.10.1","port":9000,"reserve":false,"last_reserve":null,"host":"one","vm":null,"retired":false},',
      '{"id_ip":2,"ip":"127.0.10.2","port":9000,"reserve":false,"last_reserve":null,"host":"one","vm":null,"retired":false}',
      '],',
      '"vmachine":[]}',
      '',
    ]);
  });

  it('is read again by the next store', async () => {
    const { store, path } = await openReal();
    await store.addAddresses([newAddress(1)]);
    await store.reserve(1, store.nextVmId(), AT_MS);
    await store.insertVm(vmRow(1, 1));
    const tables = store.snapshot();
    await store.close();
    const again = await openLowdbStore({ path, clock: new ManualClock() });
    expect(again.snapshot()).toEqual(tables);
  });

  it('loses what a crash left over beside it, and nothing else', async () => {
    const { folder, path } = await openReal();
    const others = ['.other.json.1-1.tmp', 'store.json.damaged-1', '.store.json.bak'];
    for (const name of ['.store.json.123-4.tmp', ...others]) await writeFile(join(folder, name), 'half');
    await openLowdbStore({ path, clock: new ManualClock() });
    expect((await readdir(folder)).sort()).toEqual([...others, 'store.json'].sort());
  });

  it('that cannot be read is named', async () => {
    const { folder } = await openReal();
    const clock = new ManualClock();
    const isFolder = openLowdbStore({ path: folder, clock });
    await expect(isFolder).rejects.toMatchObject({ code: 'STORE_UNREADABLE', details: { path: folder } });
    const nowhere = openLowdbStore({ path: join(folder, 'none', 'store.json'), clock });
    await expect(nowhere).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });
});

interface Opened {
  readonly store: Store;
  readonly files: SimulatedFiles;
  readonly clock: ManualClock;
  readonly reported: unknown[];
}

async function open(): Promise<Opened> {
  const files = new SimulatedFiles();
  const clock = new ManualClock();
  const reported: unknown[] = [];
  const store = await openLowdbStore({ path: PATH, clock, files, report: (error) => reported.push(error) });
  await store.addAddresses(newAddresses(3));
  return { store, files, clock, reported };
}

async function openReal(): Promise<{ store: Store; folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'store.json');
  return { store: await openLowdbStore({ path, clock: new ManualClock() }), folder, path };
}

function fail(kind: Operation['kind'], fault: Fault): SimulatedFiles['faults'] {
  return (operation) => (operation.kind === kind ? fault : undefined);
}

function count(files: SimulatedFiles, kind: Operation['kind']): number {
  return files.operations.filter((operation) => operation.kind === kind).length;
}

function textOf(files: SimulatedFiles): string {
  return new TextDecoder().decode(files.content.get('store.json'));
}
