/** How the sources come that are not in the repository: `includeos/fetch-source.sh`, with a pin and a machine of the test's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '..', '..', 'includeos', 'fetch-source.sh');

test('a local copy that the variable names is taken and unpacked, and needed once', () => {
  const machine = new Machine();

  expect(machine.fetch({ THING_TARBALL: machine.tarball })).toMatchObject({ status: 0 });
  expect(readFileSync(join(machine.target, 'parts/wanted/file'), 'utf8')).toBe('text');
  expect(existsSync(join(machine.target, 'parts/other'))).toBe(false);
  expect(machine.fetch({})).toMatchObject({ status: 0, stdout: '' });
});

test('what the pin unpacks is unpacked again when the pin names another file', () => {
  const machine = new Machine();
  machine.fetch({ THING_TARBALL: machine.tarball });
  machine.pack('another text');

  expect(machine.fetch({ THING_TARBALL: machine.tarball })).toMatchObject({ status: 0 });
  expect(readFileSync(join(machine.target, 'parts/wanted/file'), 'utf8')).toBe('another text');
});

test('a local copy with another digest is refused', () => {
  const machine = new Machine();
  const other = join(machine.folder, 'other');
  writeFileSync(other, 'something else');

  const { status, stderr } = machine.fetch({ THING_TARBALL: other });
  expect(status).toBe(1);
  expect(stderr).toMatch(/THING_TARBALL=\S+other is not thing\.tar with the digest in \S+thing\.pin/);
});

test('without a network it says what to set', () => {
  const { status, stderr } = new Machine().fetch({});
  expect(status).toBe(1);
  expect(stderr).toMatch(/set THING_TARBALL to the path of thing\.tar/);
});

/** A folder with a tarball, its pin, and an apt-get that reaches nothing. */
class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'shoal-fetch-test-'));
  readonly tarball = join(this.folder, 'made.tar');
  readonly target = join(this.folder, 'target');
  readonly #pin = join(this.folder, 'thing.pin');
  readonly #bin = join(this.folder, 'bin');

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    mkdirSync(this.#bin);
    writeFileSync(join(this.#bin, 'apt-get'), '#!/bin/sh\necho "no network" >&2\nexit 100\n');
    chmodSync(join(this.#bin, 'apt-get'), 0o755);
    this.pack('text');
  }

  /** Makes the tarball of a file with that text, and the pin that names it. */
  pack(text: string): void {
    for (const part of ['wanted', 'other']) {
      const folder = join(this.folder, 'thing-1', part);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'file'), text);
    }
    execFileSync('tar', ['-cf', this.tarball, '-C', this.folder, 'thing-1'], { timeout: 10_000 });
    const sha256 = createHash('sha256').update(readFileSync(this.tarball)).digest('hex');
    const fields = { package: 'thing', version: '1', file: 'thing.tar', sha256, variable: 'THING_TARBALL' };
    const unpacking = { members: 'thing-1/wanted', strip: '1', into: 'parts' };
    const lines = Object.entries({ ...fields, ...unpacking }).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(this.#pin, lines.join(''));
  }

  fetch(env: Readonly<Record<string, string>>) {
    return spawnSync('sh', [SCRIPT, this.#pin, this.target], {
      env: { PATH: `${this.#bin}:${process.env['PATH']}`, ...env },
      encoding: 'utf8',
      timeout: 30_000,
    });
  }
}
