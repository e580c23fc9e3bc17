import { describe, expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { openLowdbStore } from './lowdb-store.ts';
import { setStoreAside } from './set-aside.ts';
import { AT_MS, newAddresses, vmRow } from './testing/rows.ts';
import { SimulatedFiles } from './testing/simulated-files.ts';

const PATH = '/data/store.json';
const clock = new ManualClock({ nowMs: 1_000 });

describe('a file that cannot be used', () => {
  it.each([
    ['STORE_DAMAGED', '{"format":"shoal-store"'],
    ['STORE_DAMAGED', ''],
    ['STORE_FOREIGN', '{"format":"tea"}'],
    ['STORE_NEWER', '{"format":"shoal-store","version":3}'],
  ])('is refused as %s and not touched', async (code, text) => {
    const files = filesWith({ 'store.json': text, '.store.json.1-1.tmp': 'half' });
    await expect(openLowdbStore({ path: PATH, clock, files })).rejects.toMatchObject({ code });
    expect(files.operations).toEqual([]);
    expect(textOf(files, 'store.json')).toBe(text);
  });

  it('is set aside when that is asked for, and what the hosts report makes new tables', async () => {
    const files = filesWith({ 'store.json': '{"form', 'store.json.damaged-1000': 'an earlier one' });
    expect(await setStoreAside(PATH, clock, files)).toBe('/data/store.json.damaged-1001');
    const after = files.crash(() => 0);
    expect(textOf(after, 'store.json.damaged-1000')).toBe('an earlier one');
    expect(textOf(after, 'store.json.damaged-1001')).toBe('{"form');
    const store = await openLowdbStore({ path: PATH, clock, files: after });
    await store.addAddresses(newAddresses(2));
    await store.reserve(2, 41, AT_MS);
    await store.insertVm(vmRow(41, 2));
    expect(store.snapshot().vmachine).toEqual([vmRow(41, 2)]);
    expect(store.nextVmId()).toBe(42);
  });

  it('need not be there to be set aside', async () => {
    expect(await setStoreAside(PATH, clock, filesWith({}))).toBeUndefined();
  });
});

function filesWith(texts: Readonly<Record<string, string>>): SimulatedFiles {
  return new SimulatedFiles(
    new Map(Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)])),
  );
}

function textOf(files: SimulatedFiles, name: string): string {
  return new TextDecoder().decode(files.content.get(name));
}
