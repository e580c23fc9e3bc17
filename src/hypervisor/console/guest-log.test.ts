import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EndedLogs } from './ended-logs.ts';
import { GuestLog, readLog } from './guest-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the log of a guest', () => {
  it('can be read while it lives and when it is gone', async () => {
    const log = new GuestLog(folder, 7);
    for (let count = 0; count < 5; count++) log.append({ atMs: 1_000 + count, text: `line ${count}` });
    expect(log.tail(2)).toEqual([
      { atMs: 1_003, text: 'line 3' },
      { atMs: 1_004, text: 'line 4' },
    ]);
    await log.flush();
    expect(await readLog(folder, 7, 2)).toEqual(log.tail(2));
    expect(await readLog(folder, 8, 2)).toEqual([]);
    expect(log.tail(0)).toEqual([]);
  });

  it('goes on after an adoption', async () => {
    const before = new GuestLog(folder, 7);
    before.append({ atMs: 1, text: 'before' });
    await before.flush();
    const after = new GuestLog(folder, 7);
    await after.load();
    after.append({ atMs: 2, text: 'after' });
    await after.flush();
    expect(after.tail(10).map(({ text }) => text)).toEqual(['before', 'after']);
    expect((await readLog(folder, 7, 10)).map(({ text }) => text)).toEqual(['before', 'after']);
  });

  it('is bounded in memory and on disk, and keeps the latest', async () => {
    const log = new GuestLog(folder, 7);
    for (let count = 0; count < 20_000; count++) {
      log.append({ atMs: count, text: `${count} ${'x'.repeat(300)}` });
      if (count % 500 === 0) await log.flush();
    }
    await log.flush();
    expect(log.tail(100_000)).toHaveLength(1_000);
    expect(statSync(join(folder, 'vm-7.log')).size).toBeLessThanOrEqual(1024 * 1024);
    expect((await readLog(folder, 7, 1))[0]?.atMs).toBe(19_999);
  });

  it('leaves out what comes faster than the disk takes it, and keeps the latest', async () => {
    const log = new GuestLog(folder, 7);
    for (let count = 0; count < 3_000; count++) log.append({ atMs: count, text: 'x' });
    await log.flush();
    const lines = await readLog(folder, 7, 10_000);
    expect(lines.length).toBeLessThanOrEqual(1_001);
    expect(lines.at(-1)?.atMs).toBe(2_999);
  });

  it('that cannot be written harms nothing', async () => {
    const log = new GuestLog(join(folder, 'none'), 7);
    log.append({ atMs: 1, text: 'x' });
    await log.flush();
    expect(log.tail(1)).toEqual([{ atMs: 1, text: 'x' }]);
  });

  it('is kept for the fifty VMs that ended last, and for all that live', async () => {
    for (let vm = 1; vm <= 60; vm++) {
      const path = join(folder, `vm-${vm}.log`);
      writeFileSync(path, '');
      utimesSync(path, vm, vm);
    }
    writeFileSync(join(folder, 'notes.txt'), 'not ours');
    const logs = new EndedLogs(folder);
    // VM 3 has ended just now, and before it 4 to 60.
    await logs.add(3, (vm) => vm < 3);
    const kept = readdirSync(folder);
    expect(kept).toHaveLength(50 + 2 + 1);
    expect(kept).toEqual(expect.arrayContaining(['vm-1.log', 'vm-2.log', 'vm-3.log', 'vm-60.log', 'notes.txt']));
    expect(kept).not.toContain('vm-11.log');
    await logs.add(2, (vm) => vm < 2);
    expect(readdirSync(folder)).toHaveLength(50 + 1 + 1);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['vm-1.log', 'vm-2.log', 'vm-3.log', 'vm-13.log']));
    expect(readdirSync(folder)).not.toContain('vm-12.log');
  });

  it('is removed in the end even if the folder could not be read at first', async () => {
    const place = join(folder, 'later');
    const logs = new EndedLogs(place);
    await expect(logs.add(1, () => false)).rejects.toMatchObject({ code: 'ENOENT' });
    mkdirSync(place);
    for (let vm = 1; vm <= 51; vm++) writeFileSync(join(place, `vm-${vm}.log`), '');
    await logs.add(51, () => false);
    expect(readdirSync(place)).toHaveLength(50);
  });
});
