import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, splitLines } from './split-lines.ts';

async function linesOf(chunks: readonly Uint8Array[], bytesMax = 1_000_000, endlessBytes?: number): Promise<Line[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const line of splitLines(stream(), bytesMax, endlessBytes)) lines.push(line);
  return lines;
}

const numbered = (texts: readonly string[]): Line[] => texts.map((text, index) => ({ number: index + 1, text }));
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
  expect(await linesOf([bytes(text)])).toEqual(numbered(lines));
});

test('wherever the stream is cut, also within a character, the lines are the same', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), cuts, async (lines, places) => {
      const whole = bytes(lines.map((text) => `${text}\n`).join(''));
      const sorted = [0, ...places.sort((a, b) => a - b), whole.length];
      const chunks = sorted.slice(1).map((end, index) => whole.slice(sorted[index], end));
      expect(await linesOf(chunks)).toEqual(numbered(lines));
    }),
  );
});

test('a line that is not UTF-8 has an error with its place, and the others are as they were', async () => {
  const input = Buffer.concat([bytes('ein Gru\u00df\ngr\u00fc'), Uint8Array.of(0xe2, 0x82), bytes('\nlast\n')]);
  for (let cut = 0; cut <= input.length; cut++) {
    expect(await linesOf([input.subarray(0, cut), input.subarray(cut)])).toMatchObject([
      { number: 1, text: 'ein Gru\u00df' },
      {
        number: 2,
        error: {
          code: 'REQUEST_INVALID',
          message: 'the line is not UTF-8: the byte 0xe2 at offset 4 of the line, 14 of the input, begins no character',
        },
      },
      { number: 3, text: 'last' },
    ]);
  }
});

test('a line without end is refused before it fills the memory', async () => {
  await expect(linesOf([bytes('ab'), bytes('cd'), bytes('ef')], 4, 4)).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
  });
});

test('a line that is too long fails alone, wherever it is cut', async () => {
  const input = bytes('one\ntoo long\nlast');
  for (let cut = 0; cut <= input.length; cut++) {
    expect(await linesOf([input.subarray(0, cut), input.subarray(cut)], 4)).toMatchObject([
      { number: 1, text: 'one' },
      { number: 2, error: { code: 'REQUEST_TOO_LARGE', message: expect.stringContaining('has 8 bytes') } },
      { number: 3, text: 'last' },
    ]);
  }
});
