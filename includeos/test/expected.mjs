// What the text service must answer, said in JavaScript.
import { createHash } from 'node:crypto';

const words = (text) => text.split(/\s+/u).filter((word) => word !== '');

function byCodePoint(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function expected(operation, text) {
  switch (operation) {
    case 'upper':
      return text.toUpperCase();
    case 'lower':
      return text.toLowerCase();
    case 'reverse':
      return Array.from(text).reverse().join('');
    case 'count': {
      const newlines = text.split('\n').length - 1;
      const lines = newlines + (text !== '' && !text.endsWith('\n') ? 1 : 0);
      return JSON.stringify({ lines, words: words(text).length, bytes: Buffer.byteLength(text) });
    }
    case 'freq': {
      const counts = new Map();
      for (const word of words(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
      return JSON.stringify([...counts].sort(([a, m], [b, n]) => n - m || byCodePoint(a, b)).slice(0, 20));
    }
    case 'sha256':
      return createHash('sha256').update(text).digest('hex');
    default:
      throw new Error(`no operation ${operation}`);
  }
}

/** Texts with everything in them that is special somewhere. */
export function sampleTexts() {
  const greek = 'ΟΔΥΣΣΕΥΣ ΑΝΗΡ ΣΟΦΟΣ. Σ ΣΣ ΑΣ, (ΑΣ) ΑΣ-ΑΣ ΑΣ’Σ ᾈΣ ϓ ΐ ΰ ᾳ ᾼ ῼ';
  const latin = 'Straße GRÜSSE ŉ ǰ ﬁ ﬄ ǅ İstanbul ıI ÿ Ÿ ẞ ẖ';
  const cyrillic = 'Съешь ЕЩЁ этих мягких французских булок ѐЀ Ӏӏ';
  const blanks = 'a\u00a0b\u1680c\u2003d\u2028e\u2029f\u202fg\u205fh\u3000i\ufeffj\u0085k\u180el\u200bm\tn\vo\fp\rq\nr';
  const json = '"quoted" back\\slash \u0000\u0001\u0008\u001f\u007f\u0080 \u{1f600}\u{10ffff} a"b a"b';
  const long = `${greek}\n${latin}\n${cyrillic}\n${blanks}\n${json}\n`.repeat(40);
  return [
    '',
    'x',
    '\n',
    '\n\n',
    'a\nb',
    'a\nb\n',
    ' ',
    greek,
    latin,
    cyrillic,
    blanks,
    json,
    long,
    'Σ',
    `Σ${'.'.repeat(9000)}Σ`,
    '€'.repeat(20000),
  ];
}
