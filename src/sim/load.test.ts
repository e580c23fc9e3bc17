import { describe, expect, test } from 'vitest';
import {
  type Arrival,
  formatShape,
  type Load,
  parseShape,
  parseTrace,
  rateAt,
  readTrace,
  shapedLoad,
  tracedLoad,
} from './load.ts';
import { Chance } from './random.ts';

function all(load: Load): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let one = load.next(); one !== undefined; one = load.next()) arrivals.push(one);
  return arrivals;
}

function countBetween(arrivals: readonly Arrival[], fromMs: number, toMs: number): number {
  return arrivals.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length;
}

describe('a shape', () => {
  test.each([
    ['constant:20', { kind: 'constant', perSecond: 20 }],
    ['step:1:20:30', { kind: 'step', perSecond: 1, toPerSecond: 20, atMs: 30_000 }],
    ['burst:5:200:30:5', { kind: 'burst', perSecond: 5, peakPerSecond: 200, everyMs: 30_000, forMs: 5_000 }],
    ['sine:1:50.5:60', { kind: 'sine', fromPerSecond: 1, toPerSecond: 50.5, periodMs: 60_000 }],
    ['burst:0:1:18.505:2.968', { kind: 'burst', perSecond: 0, peakPerSecond: 1, everyMs: 18_505, forMs: 2_968 }],
  ] as const)('%s is read, and written again', (text, shape) => {
    expect(parseShape(text)).toEqual(shape);
    expect(formatShape(shape)).toBe(text);
  });

  test.each([
    '',
    'constant',
    'constant:0',
    'constant:-1',
    'constant:1:2',
    'step:1:2',
    'sine:1:2:0',
    'cosine:1:2:3',
    'burst:0:0:1:1',
  ])('"%s" is refused with the forms and the value', (text) => {
    expect(() => parseShape(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_VALUE',
        message: expect.stringMatching(/^Expected --load to be .*; got/),
      }),
    );
  });

  test('has its rate at each moment', () => {
    const at = (text: string, ...seconds: number[]): number[] =>
      seconds.map((one) => Math.round(rateAt(parseShape(text), one * 1_000)));
    expect(at('step:1:20:30', 0, 29, 30)).toEqual([1, 1, 20]);
    expect(at('burst:5:200:30:5', 0, 4, 5, 29, 30)).toEqual([200, 200, 5, 5, 200]);
    expect(at('sine:10:30:60', 0, 15, 30, 60)).toEqual([10, 20, 30, 10]);
  });

  test('has as many arrivals as its rate says, in order, none after the end', () => {
    const arrivals = all(shapedLoad(parseShape('step:10:100:50'), new Chance(1), 100_000));
    const times = arrivals.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times.at(-1)).toBeLessThan(100_000);
    expect(Math.abs(countBetween(arrivals, 0, 50_000) - 500)).toBeLessThan(90);
    expect(Math.abs(countBetween(arrivals, 50_000, 100_000) - 5_000)).toBeLessThan(300);
  });
});

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
    ['a time that goes back', 'time,count\n20,1\n10,1\n', /^Expected line 3 of the trace t\.csv to be .*, got `10,1`$/],
    ['a count that is none', '1,2\n2,many\n', /line 2 of .* got `2,many`/],
    ['a negative count', '1,2\n2,-1\n', /line 2/],
    ['a time that is none', '1,2\nnever,1\n', /line 2/],
    ['a time that only Node takes for one', '1,2\n0;5,1\n', /line 2/],
    ['another separator', 'time;count\n0;5\n1;6\n', /line 2 of .* got `0;5`/],
    ['a time beyond the longest run', '1,2\n34560002,1\n', /line 2 of .*400 days/],
    ['a field that is missing', 'time,count\n1\n', /line 2/],
    ['no line', 'time,count\n', /^The trace t\.csv has no line with a request$/],
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
