import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../src/client/mod.ts';
import { TestFleet } from './driver/fleet.ts';
import { repositoryTexts } from './driver/texts.ts';

/** Scripts, special casing and what lies outside of the Basic Multilingual Plane. */
const SAMPLES = [
  '',
  'a',
  'plain ASCII, 123 and \t tabs\nand lines\n',
  'Straße, ŉ, ǰ, ﬁ, ΐ, İstanbul, ISPARTA',
  'ΟΔΥΣΣΕΥΣ Σ ΑΣ. ΣΑΣ! ὈΔΥΣΣΕΎΣ',
  'Съешь же ещё этих мягких французских булок, да выпей чаю. ЁЖИК',
  'emoji 👩‍👩‍👧‍👦 🇩🇪 👍🏽 and 𝒜 𐐨 outside of the first plane',
  'no\u00a0break, line\u2028separator, ideographic\u3000space, zero\u200bwidth',
  'toString constructor __proto__ toString',
];

let fleet: TestFleet;
let client: Client;
let texts: readonly string[];
beforeAll(async () => {
  fleet = await TestFleet.start();
  client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  texts = [...SAMPLES, ...repositoryTexts()];
});
afterAll(async () => {
  await client?.close();
  await fleet?.stop();
});

/** The same in JavaScript, which is where the operations take their meaning from. */
const OPERATIONS: Readonly<Record<string, (text: string) => string>> = {
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  reverse: (text) => [...text].reverse().join(''),
  count: (text) =>
    JSON.stringify({ lines: linesIn(text), words: wordsIn(text).length, bytes: Buffer.byteLength(text) }),
  freq: (text) => JSON.stringify(commonest(wordsIn(text))),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};

test.each(Object.entries(OPERATIONS))(
  '%s answers what Node answers, on samples and on the text of this repository',
  async (op, inNode) => {
    for (const text of texts) {
      const reply = await client.request(text, { op });
      expect(reply.text, `${op} of ${JSON.stringify(text.slice(0, 60))}`).toBe(inNode(text));
      expect(reply.vm).toBe(1);
    }
  },
);

test('without an operation the text comes back in upper case', async () => {
  expect(await client.request('hello')).toMatchObject({ text: 'HELLO' });
});

test('spin computes for a while and says so', async () => {
  expect(await client.request('20', { op: 'spin' })).toMatchObject({ text: 'spun 20' });
});

test.each([
  ['an operation that there is not', 'x', { op: 'nope' }, 'REQUEST_OPERATION_UNKNOWN', /nope/],
  ['a number that is none', 'soon', { op: 'spin' }, 'REQUEST_INVALID', /soon/],
  [
    'a deadline that passes while it computes',
    '60000',
    { op: 'spin', deadlineMs: 200 },
    'REQUEST_DEADLINE',
    /deadline/,
  ],
])('%s is answered with its own error', async (_, text, options, code, message) => {
  await expect(client.request(text, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  // And harms nobody: the VM is there for the next one.
  expect(await client.request('next')).toMatchObject({ text: 'NEXT' });
});

function wordsIn(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

function linesIn(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** By count, then in the order of their code points; twenty at most. */
function commonest(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return [...counts].sort(([a, m], [b, n]) => n - m || byBytes(a, b)).slice(0, 20);
}

test('the texts are there to compare with', () => {
  expect(texts.length).toBeGreaterThan(20);
  expect(readFileSync(new URL('operations.real.test.ts', import.meta.url), 'utf8')).toContain('Съешь');
});
