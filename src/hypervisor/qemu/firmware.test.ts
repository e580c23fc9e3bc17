import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseProfile } from '../profile/parse-profile.ts';
import { checkFirmware, FIRMWARE } from './firmware.ts';

const PROFILE = parseProfile({}, 'test');

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firmware-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'firmware.bin');
}

/** What was built, with other bytes at a place. */
function changed(at: number, bytes: string): Buffer {
  const firmware = readFileSync(FIRMWARE);
  firmware.write(bytes, at, 'latin1');
  return firmware;
}

test('a firmware that is not there is told with its path and the remedy', () => {
  const path = place();
  const told = { code: 'IMAGE_MISSING', message: expect.stringMatching(`${path}.*no such file.*npm run image`) };
  expect(() => checkFirmware(PROFILE, path)).toThrow(expect.objectContaining(told));
});

test.each<[string, (path: string) => void, string]>([
  ['was cut off', (path) => writeFileSync(path, Buffer.alloc(4_096)), 'it has 4096 bytes'],
  ['is a folder', (path) => mkdirSync(path), 'it is not a regular file'],
  ['is another one of its size', (path) => writeFileSync(path, Buffer.alloc(65_536, 0x90)), 'it has no label'],
  ['is of another version', (path) => writeFileSync(path, changed(15, '0')), 'it has no label of this Shoal'],
  ['starts with other code', (path) => writeFileSync(path, changed(0xfff0, '\xf4')), 'it was changed'],
  ['has a byte more behind its label', (path) => writeFileSync(path, changed(128, '\x01')), 'it was changed'],
])('a firmware that %s is told with its path and the remedy', (_, make, why) => {
  const path = place();
  make(path);
  const told = { code: 'IMAGE_INVALID', message: expect.stringMatching(`${path}.*${why}.*npm run image`) };
  expect(() => checkFirmware(PROFILE, path)).toThrow(expect.objectContaining(told));
});

test('a firmware that is changed while Shoal runs is told at the next start', () => {
  const path = place();
  writeFileSync(path, readFileSync(FIRMWARE));
  checkFirmware(PROFILE, path);
  checkFirmware(PROFILE, path);
  writeFileSync(path, changed(0xfe00, '\xf4'));
  expect(() => checkFirmware(PROFILE, path)).toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }));
  writeFileSync(path, readFileSync(FIRMWARE));
  checkFirmware(PROFILE, path);
});

test('the firmware that is here is one, and machines that start with that of QEMU need none', () => {
  checkFirmware(PROFILE);
  checkFirmware(parseProfile({ firmware: 'qemu' }, 'test'), place());
  checkFirmware(parseProfile({ machine: 'q35', boot: 'linux' }, 'test'), place());
});
