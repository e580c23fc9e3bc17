// Compares the text service with JavaScript:  node text.test.mjs PATH/TO/text_cli
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expected, sampleTexts } from './expected.mjs';

const cli = process.argv[2];
const run = (operation, text) => execFileSync(cli, [operation], { input: text, maxBuffer: 1 << 28 }).toString('utf8');

// The tables come from one version of Unicode. Where this engine has another, only the ranges that we promise are compared.
const tables = readFileSync(new URL('../service/case_tables.inc', import.meta.url), 'utf8');
const sameUnicode = tables.includes(`from Unicode ${process.versions.unicode}.`);
const ranges = sameUnicode
  ? [[0, 0x10ffff]]
  : [
      [0, 0x52f],
      [0x1d00, 0x1dbf],
      [0x1e00, 0x20ff],
      [0xfb00, 0xfb06],
    ];

const separators = new Set(['\n', '|']);
const all = [];
for (const [first, last] of ranges) {
  for (let codePoint = first; codePoint <= last; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    if ((codePoint < 0xd800 || codePoint > 0xdfff) && !separators.has(character)) all.push(character);
  }
}

/** Says which code points differ: an assertion over a text of megabytes would not. */
function compareAll(operation, wrap) {
  const got = run(operation, all.map(wrap).join('\n|\n')).split('\n|\n');
  assert.equal(got.length, all.length);
  const wrong = all.flatMap((character, i) => {
    const wanted = expected(operation, wrap(character));
    return got[i] === wanted
      ? []
      : [`U+${character.codePointAt(0).toString(16)}: ${JSON.stringify(got[i])}, not ${JSON.stringify(wanted)}`];
  });
  assert.deepEqual(wrong.slice(0, 20), [], `${operation} of ${wrong.length} code points is not JavaScript's`);
}

compareAll('upper', (character) => character);
compareAll('lower', (character) => character);
compareAll('lower', (character) => `aΣ${character}`);
compareAll('lower', (character) => `${character}Σ`);
compareAll('lower', (character) => `a${character}Σ${character}b`);

for (const operation of ['upper', 'lower', 'reverse', 'count', 'freq', 'sha256']) {
  for (const text of sampleTexts())
    assert.equal(run(operation, text), expected(operation, text), `${operation} of ${text.slice(0, 80)}`);
}
const everyCodePoint = all.join(' ');
for (const operation of ['reverse', 'count', 'freq', 'sha256']) {
  assert.ok(run(operation, everyCodePoint) === expected(operation, everyCodePoint), `${operation} of every code point`);
}
assert.equal(run('sha256', 'abc'), createHash('sha256').update('abc').digest('hex'));
console.log(
  `text service equals JavaScript: ${all.length} code points, Unicode ${process.versions.unicode}${sameUnicode ? '' : ' (tables from another)'}`,
);
