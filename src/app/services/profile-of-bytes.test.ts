import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { profileOfBytes } from './profile-of-bytes.ts';

/** What is said when the profile beside the image is `text`, or is not there. */
async function saidBeside(text: string | undefined): Promise<{ said: readonly string[]; written: unknown }> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bytes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'image.shoal.json');
  if (text !== undefined) writeFileSync(path, text);
  const said: string[] = [];
  expect(await profileOfBytes(join(folder, 'image.elf'), (line) => said.push(line))).toBe(path);
  return { said, written: readFileSync(path, 'utf8') };
}

test('a service that takes bytes gets a profile that says so', async () => {
  const { said, written } = await saidBeside(undefined);
  expect(said).toEqual([]);
  expect(JSON.parse(String(written))).toMatchObject({ payload: 'bytes' });
});

test('a profile that says so already is left without a word: under --watch it is met at each build', async () => {
  const text = '{ "payload": "bytes", "memoryMib": 24 }';
  expect(await saidBeside(text)).toEqual({ said: [], written: text });
});

test.each(['{}', '{ "payload": "text" }', 'null', 'no JSON'])(
  'a profile that does not, %s, is left and named',
  async (text) => {
    const { said, written } = await saidBeside(text);
    expect(said).toEqual([
      expect.stringMatching(/image\.shoal\.json is left as it is; .* must say "payload": "bytes"/),
    ]);
    expect(written).toBe(text);
  },
);

test('a profile that cannot be written is no profile that was left', async () => {
  const said: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bytes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const image = join(folder, 'nowhere/image.elf');
  await expect(profileOfBytes(image, (line) => said.push(line))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(said).toEqual([]);
});
