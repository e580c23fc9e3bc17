import { expect, test } from 'vitest';
import { jsonLine, printable, table } from './output.ts';

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

test('text from outside cannot steer the terminal', () => {
  expect(printable('a\u001b[2Jb\u009bc\td\n')).toBe('a\ufffd[2Jb\ufffdc\td\n');
  expect(printable('a line\r\nanother\rover it')).toBe('a line\r\nanother\ufffdover it');
  const text = 'a\u001b[2J\u009b2J\u007f';
  expect(jsonLine(text)).toBe('"a\\u001b[2J\\u009b2J\\u007f"');
  expect(JSON.parse(jsonLine(text))).toBe(text);
});

test('nor can a cell of a table, which is one line', () => {
  const text = table([{ title: 'NAME', cell: (row: string) => row }], ['a\u001b[2J\nb']);
  expect(text).toBe('NAME\na\ufffd[2J\ufffdb\n');
});
