import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoProcess } from './driver/demo-process.ts';
import { temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the demo shows VMs that start under load and leave after it, gives its figures, and leaves nothing behind', async () => {
  const file = join(folder, 'demo.json');
  const demo = new DemoProcess(['--json', file], folder);
  const place = await demo.place();
  const { stdout, stderr, exitCode } = await demo.finished;
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
  // What the demo says that it writes.
  const figures = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, number>>;
  expect(Object.keys(figures)).toEqual(['requests', 'ok', 'errors', 'vms_started', 'vms_stopped', 'p50_ms', 'p99_ms']);
  const { requests = 0, ok, errors, vms_started, vms_stopped, p50_ms = 0, p99_ms } = figures;
  expect(requests).toBeGreaterThan(100);
  expect({ ok, errors }).toEqual({ ok: requests, errors: 0 });
  expect(vms_started).toBeGreaterThan(1);
  expect(vms_stopped).toBeGreaterThan(1);
  expect(p50_ms).toBeGreaterThan(0);
  expect(p99_ms).toBeGreaterThanOrEqual(p50_ms);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual(figures);
  // On the timeline: one VM, then several, then one again.
  const counts = [...stdout.matchAll(/^ *\d+\.\d s {2}[#o+-]+ +(\d+) /gm)].map(([, count]) => Number(count));
  expect(Math.max(...counts)).toBeGreaterThan(1);
  expect(counts.at(-1)).toBe(1);
  expect(stdout).not.toContain('\u001b');
});
