import unicode from 'blessed/lib/unicode.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellsOf, clipText, fitText, harmless, wrapText } from './cell-text.ts';
import { anyText } from './kit/facts.ts';

test('a text of a stranger has nothing in it that a terminal would obey', () => {
  expect(harmless('a\u001b[2Jb\u0007c\u009bd\u202ee\u200bf')).toBe('a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf');
  expect(harmless('tab\tline\r\nnext\u2028last')).toBe('tab line  next last');
  fc.assert(
    fc.property(anyText, (text) => {
      expect(harmless(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      expect(harmless(harmless(text))).toBe(harmless(text));
    }),
  );
});

test('words of all scripts stay readable', () => {
  for (const text of ['Fähre', 'Ωμέγα', 'Привет', '漢字かなカナ', '한국어', 'ไทย'.normalize('NFC'), '─│┌ …']) {
    expect(cellsOf(harmless(text))).toBeGreaterThan(0);
  }
  expect(harmless('Fa\u0308hre 漢字')).toBe('Fähre 漢字');
});

test('every character that is left takes as many cells as blessed counts for it', () => {
  const differing: string[] = [];
  for (let point = 0; point <= 0xffff; point++) {
    for (const char of harmless(String.fromCodePoint(point))) {
      const ours = cellsOf(char);
      const theirs = unicode.charWidth(char, 0);
      if (ours !== theirs) differing.push(`U+${point.toString(16)}: ${ours}, blessed ${theirs}`);
    }
  }
  expect(differing).toEqual([]);
});

test('clipped text is as wide as there is room, and shows that it was clipped', () => {
  expect(clipText('abcdef', 4)).toBe('abc…');
  expect(clipText('漢字漢字', 5)).toBe('漢字…');
  expect(clipText('漢字漢字', 4)).toBe('漢…');
  expect(clipText('abcd', 4)).toBe('abcd');
  expect(clipText('abcd', 0)).toBe('');
});

test('fitted text has exactly the width asked for', () => {
  fc.assert(
    fc.property(anyText, fc.nat(40), fc.constantFrom('left' as const, 'right' as const), (text, cells, align) => {
      expect(cellsOf(fitText(harmless(text), cells, align))).toBe(cells);
    }),
  );
});

test('wrapped text has all of its characters, in lines that fit', () => {
  expect(wrapText('abcdef', 4)).toEqual(['abcd', 'ef']);
  expect(wrapText('a漢字', 4)).toEqual(['a漢', '字']);
  expect(wrapText('', 4)).toEqual(['']);
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 40 }), (text, cells) => {
      const lines = wrapText(harmless(text), cells);
      expect(lines.join('')).toBe(harmless(text));
      for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(cells);
    }),
  );
});
