import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseProfile } from '../profile/parse-profile.ts';
import { checkFirmware } from './firmware.ts';

const PROFILE = parseProfile({}, 'test');

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firmware-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'firmware.bin');
}

test('a firmware that is not there is told with its path and the remedy', () => {
  const path = place();
  const told = { code: 'IMAGE_MISSING', message: expect.stringMatching(`${path}.*no such file.*npm run image`) };
  expect(() => checkFirmware(PROFILE, path)).toThrow(expect.objectContaining(told));
});

test.each<[string, (path: string) => void, string]>([
  ['was cut off', (path) => writeFileSync(path, Buffer.alloc(4_096)), 'it has 4096 bytes'],
  ['is a folder', (path) => mkdirSync(path), 'it is not a regular file'],
])('a firmware that %s is told with its path and the remedy', (_, make, why) => {
  const path = place();
  make(path);
  const told = { code: 'IMAGE_INVALID', message: expect.stringMatching(`${path}.*${why}.*npm run image`) };
  expect(() => checkFirmware(PROFILE, path)).toThrow(expect.objectContaining(told));
});

test('the firmware that is here is one, and machines that start with that of QEMU need none', () => {
  checkFirmware(PROFILE);
  checkFirmware(parseProfile({ firmware: 'qemu' }, 'test'), place());
  checkFirmware(parseProfile({ machine: 'q35', boot: 'linux' }, 'test'), place());
});
