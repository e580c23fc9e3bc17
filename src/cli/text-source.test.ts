import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileSource, givenText, wholeText } from './text-source.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'shoal-text-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('a file is read as a whole, up to what may be sent', async () => {
  const path = join(folder(), 'text');
  writeFileSync(path, 'grüß dich');
  expect(await wholeText(await fileSource(path), 11)).toBe('grüß dich');
  await expect(wholeText(await fileSource(path), 10)).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
    message: expect.stringMatching(/at most 10 bytes from the file .*text, .*max_payload/),
  });
});

test('a source without end is refused as soon as it has too much', async () => {
  let given = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += 10;
      yield Buffer.alloc(10);
    }
  };
  const source = { ...givenText(''), name: 'standard input', chunks: endless() };
  await expect(wholeText(source, 100)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
  expect(given).toBe(110);
});

test.each<[what: string, path: (folder: string) => string]>([
  ['a directory', (path) => path],
  ['a device', () => '/dev/zero'],
  [
    'a pipe',
    (path) => {
      execFileSync('mkfifo', [join(path, 'fifo')]);
      return join(path, 'fifo');
    },
  ],
])('%s is refused at once', async (what, pathIn) => {
  const path = pathIn(folder());
  await expect(fileSource(path)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`got ${path}, which is ${what}`),
  });
});

test('a file that is not there is refused with the reason', async () => {
  await expect(fileSource('/nowhere/at/all')).rejects.toMatchObject({
    code: 'USAGE',
    message: 'the file /nowhere/at/all cannot be read: there is no such file (ENOENT)',
  });
});
