import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadReport } from '../src/load/mod.ts';
import { TestFleet } from './driver/fleet.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start();
});
afterAll(() => fleet?.stop());

async function load(args: readonly string[]): Promise<LoadReport> {
  // What the command says that it prints.
  return (await fleet.json('load', args)) as LoadReport;
}

test('so many requests, so many at a time', async () => {
  const report = await load(['-n', '500', '-c', '16']);
  expect(report).toMatchObject({
    pace: 'concurrency',
    requests: 500,
    ok: 500,
    failed: 0,
    interrupted: false,
    bytes: 22,
  });
  expect(report.vms).toBeGreaterThanOrEqual(1);
  expect(report.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(500);
  const { min, p50, p99, max } = report.latency_ms ?? { min: 0, p50: 0, p99: 0, max: 0 };
  expect(min).toBeGreaterThan(0);
  expect([min, p50, p99, max]).toEqual([min, p50, p99, max].sort((one, other) => one - other));
});

test('a rate for a time, with random text', async () => {
  const report = await load(['--rate', '50', '--duration', '2', '--ramp', '1', '--op', 'count', '--size', '2000']);
  expect(report).toMatchObject({
    pace: 'rate',
    pace_value: 50,
    ramp_s: 1,
    requests: 75,
    ok: 75,
    bytes: 2000,
    op: 'count',
  });
});

test('a fleet that cannot keep up is not hidden: requests wait from the moment at which they are due', async () => {
  // Four addresses, one request at a time each: at most 20 of these in a second, and 50 are due.
  const report = await load(['--rate', '50', '-d', '2', '--op', 'spin', '--text', '200']);
  expect(report).toMatchObject({ requests: 100, ok: 100 });
  expect(report.latency_ms?.max).toBeGreaterThan(1_000);
});

test('a summary for people, and exit code 1 if any failed and that was asked for', async () => {
  const deadline = ['-n', '8', '--op', 'spin', '--text', '5000', '--deadline', '300'];
  const all = await fleet.run('load', deadline);
  expect(all.stdout).toMatch(/^Requests +8 in .*: 0 ok, 8 failed\n.*\n +8 {2}REQUEST_DEADLINE\n$/s);
  expect(all.exitCode).toBe(1);
  const file = join(fleet.data, 'text');
  writeFileSync(file, 'from a file');
  const well = await fleet.run('load', ['-n', '8', '--file', file, '--fail-on-error']);
  expect(well).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/8 ok, 0 failed.*p99/s), stderr: '' });
});

test('Ctrl-C ends it early, with the summary', async () => {
  const running = new ShoalProcess(['load', '--data', fleet.data, '-o', 'json', '-d', '600']);
  await fleet.until('it sends', ({ vms }) => vms.some(({ in_flight }) => in_flight > 0));
  running.signal('SIGINT');
  const { stdout, stderr, exitCode } = await running.finished;
  expect(stderr).toContain('interrupted');
  // What the command says that it prints.
  const report = JSON.parse(stdout) as LoadReport;
  expect(report).toMatchObject({ interrupted: true, failed: 0, requests: report.ok + report.cancelled });
  expect(exitCode).toBe(report.ok > 0 ? 0 : 1);
});

test.each([
  [['--rate', '5', '-c', '5'], 2, /not both/],
  [['--size', '5', '--text', 'a'], 2, /one of --text, --size and --file/],
  [['--ramp', '20'], 2, /--ramp to be no longer than the duration of 10 s, got 20/],
  [['--duration', '3601'], 2, /--duration to be a whole number of seconds from 1 to 3600, got "3601"/],
  [['--file', '/nowhere/at/all'], 2, /\/nowhere\/at\/all cannot be read/],
  [['--op', 'nope'], 1, /"nope".*\[REQUEST_OPERATION_UNKNOWN\]/],
  [['--size', '3000000'], 1, /\[REQUEST_TOO_LARGE\]/],
])('load %j ends with %i and says why', async (args, exitCode, message) => {
  const finished = await fleet.run('load', args);
  expect(finished.stderr).toMatch(message);
  expect(finished).toMatchObject({ exitCode, stdout: '' });
});

test('a fleet that nobody serves is told at once', async () => {
  const args = ['load', '--nats', fleet.ready.nats, '--fleet', 'nobody'];
  const finished = await new ShoalProcess(args).finished;
  expect(finished).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('REQUEST_NO_RESPONDERS') });
});
