import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Chance } from './random.ts';
import { all, countBetween } from './testing/arrivals.ts';
import { parseTrace, readTrace, tooDense, tracedLoad } from './trace.ts';

describe('a trace', () => {
  test('of counts has its requests at even distances until the next line', () => {
    const rows = parseTrace(
      'timestamp,value\n2014-02-14 14:30:00,2\n2014-02-14 14:35:00,3\n2014-02-14 14:40:00,0\n',
      't.csv',
    );
    expect(rows.map(({ atMs, count }) => [atMs, count])).toEqual([
      [0, 2],
      [300_000, 3],
      [600_000, 0],
    ]);
    const arrivals = all(tracedLoad(rows, 1, new Chance(1), 1e9));
    expect(arrivals).toHaveLength(5);
    expect(countBetween(arrivals, 0, 300_000)).toBe(2);
    expect(countBetween(arrivals, 300_000, 600_000)).toBe(3);
  });

  test('of single arrivals has their sizes and their units of work', () => {
    const rows = parseTrace(
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5,374,44\n2023-11-16 18:15:47,396,109\n',
      't',
    );
    expect(all(tracedLoad(rows, 1, new Chance(1), 1e9))).toEqual([
      { atMs: 0, bytes: 374, units: 44 },
      { atMs: 500, bytes: 396, units: 109 },
    ]);
  });

  test('without a heading has times and counts; times in seconds too', () => {
    expect(parseTrace('894000000,2\r\n894000060,1\r\n', 't').map(({ atMs, count }) => [atMs, count])).toEqual([
      [0, 2],
      [60_000, 1],
    ]);
  });

  test.each([
    ['2014-02-14', 0],
    ['2014-02-14Z', 0],
    ['2014-02-14 14:30', 52_200],
    ['2014-02-14T14:30:00.25z', 52_200.25],
    ['2014-02-14T14:30:00+01:00', 48_600],
  ])('has times such as %s', (text, seconds) => {
    expect(parseTrace(`time,count\n2014-02-14,1\n${text},1\n`, 't').at(-1)?.atMs).toBe(seconds * 1_000);
  });

  test.each([
    ['quotes', '"time","count"\n"0","2"\n"60","1"\n'],
    ['lines that end as on old Macs', 'time,count\r0,2\r60,1\r'],
    ['a mark of its byte order', '\uFEFFtime,count\n0,2\n60,1\n'],
    ['empty lines', '\n\ntime,count\n\n0,2\n\n60,1'],
    ['spaces', ' Time , Count \n 0 , 2 \n 60 , 1 \n'],
  ])('may have %s', (_, text) => {
    expect(parseTrace(text, 't').map(({ atMs, count }) => [atMs, count])).toEqual([
      [0, 2],
      [60_000, 1],
    ]);
  });

  test('has a rate that can be', () => {
    const rows = parseTrace('0,1000000\n1,600000000\n601,5\n601,7\n', 't');
    expect(tooDense(rows, 1)).toBeUndefined();
    expect(tooDense(rows, 1.1)).toBe(rows[0]);
    expect(tooDense(parseTrace('0,5\n1,900000000\n2,5\n', 't'), 1)).toMatchObject({ atMs: 1_000 });
  });

  test('that is too large is refused at once, with its size', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-trace-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'large.csv');
    const file = openSync(path, 'w');
    ftruncateSync(file, 3 * 1024 ** 3);
    closeSync(file);
    expect(() => readTrace(path)).toThrow(
      `The trace ${path} cannot be read: it has 3221225472 bytes, and at most 268435456 are read`,
    );
  });

  test('may begin later', () => {
    const text = 'time,count\n1998-06-29,1\n1998-06-30,2\n1998-07-01,3\n';
    expect(parseTrace(text, 't', '1998-06-30').map(({ atMs, count }) => [atMs, count])).toEqual([
      [0, 2],
      [86_400_000, 3],
    ]);
  });

  test('keeps its sum when its counts are multiplied by a fraction', () => {
    const rows = parseTrace(Array.from({ length: 100 }, (_, second) => `${second},1`).join('\n'), 't');
    expect(all(tracedLoad(rows, 0.25, new Chance(1), 1e9))).toHaveLength(25);
    expect(all(tracedLoad(rows, 3, new Chance(1), 1e9))).toHaveLength(300);
  });

  test.each([
    [
      'a time that goes back',
      'time,count\n20,1\n10,1\n',
      /^Expected line 3 of the trace t\.csv to have a time .*; got `10,1`$/,
    ],
    ['a count that is none', '1,2\n2,many\n', /line 2 of .* got `2,many`/],
    ['a negative count', '1,2\n2,-1\n', /line 2/],
    ['a time that is none', '1,2\nnever,1\n', /line 2/],
    ['a time that only Node takes for one', '1,2\n0;5,1\n', /line 2/],
    ['another separator', 'time;count\n0;5\n1;6\n', /line 2 of .* got `0;5`/],
    ['a time beyond the longest run', '1,2\n34560002,1\n', /line 2 of .*400 days/],
    ['a field that is missing', 'time,count\n1\n', /line 2/],
    ['no line', 'time,count\n', /^The trace t\.csv has no line with a request$/],
    ['no request', 'time,count\n1,0\n2,0\n', /^The trace t\.csv has no line with a request$/],
    ['a day that no calendar has', 'time,count\n2024-01-01,1\n2024-02-30,1\n', /line 3/],
    ['a line that was cut', 'time,region,count,host\n0,eu,5,a\n1,eu,5\n', /line 3 .* 4 fields, .*got `1,eu,5`/],
    ['a remark above the lines', '# counts of a day\n0,5\n1,6\n', /line 2 .* 1 fields/],
    ['its columns in another order', 'count,time\n5,0\n6,1\n', /first column .* be the time, .*line 1 .*`count`/],
    ['more fields than its first line', '0,5\n1,6,7\n', /line 2 .* 2 fields/],
  ])('with %s is refused', (_, text, message) => {
    expect(() => parseTrace(text, 't.csv')).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringMatching(message) }),
    );
  });

  test('is refused if it begins after its end, or at a time that is none', () => {
    expect(() => parseTrace('1,2\n', 't', '5')).toThrow('The trace t has no line with a request from 5 on');
    for (const from of ['June', 'June 1', '1 hour', '5:30']) {
      expect(() => parseTrace('1,2\n', 't', from)).toThrow('Expected --from to be a time');
    }
  });

  test('that cannot be read is refused with its path', () => {
    expect(() => readTrace('no/such/trace.csv')).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('no/such/trace.csv') }),
    );
    expect(() => readTrace('/dev/null')).toThrow('/dev/null is a device, and it must be a plain file');
  });
});
