import { expect, test } from 'vitest';
import { openKeptFile } from './kept-file.ts';
import { SimulatedFiles } from './testing/simulated-files.ts';

const PATH = '/data/kept.json';
const bytes = (text: string): Uint8Array => Buffer.from(text);
const open = (files: SimulatedFiles) => openKeptFile(PATH, 'What is kept', files);

test('what was written is there at the next opening, and survives a crash', async () => {
  const files = new SimulatedFiles();
  const file = await open(files);
  expect(file.bytes).toBeUndefined();
  await file.write(bytes('one'));
  const next = await open(files.crash(() => 0.9));
  expect(Buffer.from(next.bytes ?? []).toString()).toBe('one');
});

test('what a crash left half written is removed', async () => {
  const left = '.kept.json.1-1.tmp';
  const files = new SimulatedFiles(new Map([[left, bytes('ha')]]));
  await open(files);
  expect([...files.content.keys()]).toEqual([]);
});

test('a write that fails is an error that says what, where and why, and the file is as before', async () => {
  const files = new SimulatedFiles();
  const file = await open(files);
  await file.write(bytes('one'));
  files.faults = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined);
  await expect(file.write(bytes('two'))).rejects.toMatchObject({
    code: 'STORE_WRITE_FAILED',
    message: expect.stringMatching(/^What is kept could not be written to \/data\/kept\.json: .*ENOSPC/),
    cause: { code: 'ENOSPC' },
  });
  expect(Buffer.from((await open(files)).bytes ?? []).toString()).toBe('one');
});

test('a file that cannot be read or tidied is an error that says which', async () => {
  const files = new SimulatedFiles(new Map([['.kept.json.1-1.tmp', bytes('ha')]]));
  files.faults = ({ kind }) => (kind === 'unlink' ? 'EIO' : undefined);
  await expect(open(files)).rejects.toMatchObject({
    code: 'STORE_UNREADABLE',
    message: expect.stringMatching(/^\/data\/kept\.json cannot be read: .*EIO/),
  });
});
