import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from './split-lines.ts';

async function linesOf(chunks: readonly Uint8Array[], charsMax?: number): Promise<string[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of splitLines(stream(), charsMax)) lines.push(line);
  return lines;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, string[]]>([
  ['', []],
  ['\n', ['']],
  ['a', ['a']],
  ['a\nb', ['a', 'b']],
  ['a\nb\n', ['a', 'b']],
  ['a\r\nb\r\n', ['a', 'b']],
  ['\n\na', ['', '', 'a']],
  ['a\rb', ['a\rb']],
])('%j', async (text, lines) => {
  expect(await linesOf([bytes(text)])).toEqual(lines);
});

test('wherever the stream is cut, also within a character, the lines are the same', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), cuts, async (lines, places) => {
      const whole = bytes(lines.map((text) => `${text}\n`).join(''));
      const sorted = [0, ...places.sort((a, b) => a - b), whole.length];
      const chunks = sorted.slice(1).map((end, index) => whole.slice(sorted[index], end));
      expect(await linesOf(chunks)).toEqual(lines);
    }),
  );
});

test('a line without end is refused before it fills the memory', async () => {
  await expect(linesOf([bytes('ab'), bytes('cd'), bytes('ef')], 4)).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
  });
});
