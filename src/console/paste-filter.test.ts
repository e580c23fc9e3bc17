import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PasteFilter } from './paste-filter.ts';

const PASTE = '\u001b[200~q and\nmore\u001b[201~';

function typed(chunks: readonly string[], stepMs = 0): string {
  const filter = new PasteFilter();
  return chunks.map((chunk, index) => filter.typed(chunk, index * stepMs)).join('');
}

test('keys pass, pasted text does not, wherever the stream is cut', () => {
  const parts = fc.array(fc.constantFrom('a', '\u001b[A', '\u001b[2~', '\u001bOP', PASTE), { maxLength: 8 });
  fc.assert(
    fc.property(parts, fc.array(fc.nat(120), { maxLength: 6 }), (all, places) => {
      const text = `${all.join('')}.`;
      const cuts = [0, ...places.map((place) => place % text.length).sort((a, b) => a - b), text.length];
      // A cut right behind ESC cannot be told from the key Escape.
      const chunks = cuts
        .filter((cut) => text[cut - 1] !== '\u001b')
        .map((cut, index, some) => text.slice(cut, some[index + 1] ?? text.length));
      expect(typed(chunks)).toBe(`${all.filter((part) => part !== PASTE).join('')}.`);
    }),
  );
});

test('Escape is a key at once', () => {
  expect(new PasteFilter().typed('\u001b', 0)).toBe('\u001b');
});

test('a paste whose end is lost does not lock the keys for ever', () => {
  expect(typed(['\u001b[200~q', 'q'], 10)).toBe('');
  expect(typed(['\u001b[200~q', 'x'], 1_001)).toBe('x');
});
