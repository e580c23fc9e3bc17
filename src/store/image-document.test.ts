import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type ImageDocument, openImageStore } from './image-document.ts';

const [OLD, NEW] = ['0'.repeat(64), '1'.repeat(64)];
const DOCUMENT: ImageDocument = {
  image: OLD,
  before: null,
  deploy: { id: 1, image: NEW, before: OLD, canary: 1, canaryMs: 10, phase: 'canary', why: null, ended_ms: null },
};

let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-image-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, 'image.json');
});

test('what was saved is there at the next start, and nothing before that', async () => {
  const store = await openImageStore(path);
  expect(store.last).toBe(undefined);
  await store.save(DOCUMENT);
  expect([store.last, (await openImageStore(path)).last]).toEqual([DOCUMENT, DOCUMENT]);
  expect(readdirSync(join(path, '..'))).toEqual(['image.json']);
});

test.each([
  ['no JSON', 'x'],
  ['of another format', '{"format":"other","version":1}'],
  ['of a newer version', JSON.stringify({ format: 'shoal-image', version: 2, ...DOCUMENT })],
  ['without a digest', JSON.stringify({ format: 'shoal-image', version: 1, ...DOCUMENT, image: 'x' })],
  [
    'with a phase that there is not',
    JSON.stringify({ format: 'shoal-image', version: 1, ...DOCUMENT, deploy: { ...DOCUMENT.deploy, phase: 'x' } }),
  ],
  ['far too long', ' '.repeat(20_000)],
])('a file that is %s is refused, with what to do', async (_what, text) => {
  writeFileSync(path, text);
  await expect(openImageStore(path)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    message: expect.stringContaining('remove it'),
  });
});
