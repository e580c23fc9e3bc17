import { expect, test } from 'vitest';
import { formatBytes, formatDuration, printable, table } from './output.ts';

test('a table is as wide as its content, figures to the right', () => {
  const rows = [
    { name: 'long name', figure: 7 },
    { name: 'x', figure: 1234 },
  ];
  const text = table(
    [
      { title: 'NAME', cell: (row: (typeof rows)[number]) => row.name },
      { title: 'N', align: 'right', cell: (row) => String(row.figure) },
    ],
    rows,
  );
  expect(text).toBe('NAME          N\nlong name     7\nx          1234\n');
});

test('bytes and durations are said in the unit that a person would use', () => {
  expect([0, 1023, 1536, 3 * 2 ** 20].map(formatBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '3.0 MiB']);
  expect([0, 999, 1500, 61_000, 3_660_000].map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1.5 s',
    '1 min 1 s',
    '1 h 1 min',
  ]);
});

test('a duration that would be rounded to a whole of the next unit is said in that', () => {
  const durations = [999.4, 999.5, 59_949, 59_950, 59_999.9, 60_000, 3_599_999, 3_600_000];
  expect(durations.map(formatDuration)).toEqual([
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 0 s',
    '1 min 0 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 0 min',
  ]);
});

test('text from outside cannot steer the terminal', () => {
  expect(printable('a\u001b[2Jb\u009bc\td\n')).toBe('a\ufffd[2Jb\ufffdc\td\n');
});
