import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConsoleFile } from './console-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  path = join(folder, 'console.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

function text(file: ConsoleFile): string {
  return Buffer.from(file.read()).toString('latin1');
}

/** All that is there, and in how many pieces. */
function all(file: ConsoleFile): { readonly text: string; readonly reads: number } {
  const pieces: string[] = [];
  for (let piece = text(file); piece !== ''; piece = text(file)) pieces.push(piece);
  return { text: pieces.join(''), reads: pieces.length };
}

describe('the file of a console', () => {
  it('is there before QEMU has made it, for us alone', () => {
    const file = ConsoleFile.create(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(text(file)).toBe('');
    appendFileSync(path, 'boot');
    expect(text(file)).toBe('boot');
    expect(text(file)).toBe('');
    appendFileSync(path, 'ed\n');
    expect(text(file)).toBe('ed\n');
    file.close();
  });

  it('is read from where somebody else has left it', () => {
    appendFileSync(path, 'ready\n');
    const whole = ConsoleFile.open(path, 'start');
    const rest = ConsoleFile.open(path, 'end');
    appendFileSync(path, 'status\n');
    expect([text(whole), text(rest)]).toEqual(['ready\nstatus\n', 'status\n']);
    whole.close();
    rest.close();
  });

  it('stays small, and loses nothing, however much is printed', () => {
    const file = ConsoleFile.create(path);
    let printed = '';
    let read = '';
    for (let line = 0; line < 2_000; line++) {
      const said = `${line}:${'x'.repeat(200)}\n`;
      appendFileSync(path, said);
      printed += said;
      read += text(file);
      expect(statSync(path).size).toBeLessThan(70_000);
    }
    expect(read).toBe(printed);
    file.close();
  });

  it('that may be needed again keeps what is read, up to half a MiB', () => {
    const file = ConsoleFile.create(path);
    appendFileSync(path, 'k'.repeat(300_000));
    while (file.read(true).length > 0);
    expect(statSync(path).size).toBe(300_000);
    appendFileSync(path, 'k'.repeat(300_000));
    while (file.read(true).length > 0);
    expect(statSync(path).size).toBe(0);
    appendFileSync(path, 'k'.repeat(100_000));
    while (file.read(true).length > 0);
    expect(text(file)).toBe('');
    expect(statSync(path).size).toBe(0);
    file.close();
  });

  it('that nobody has read for long is read piece by piece, and small from then on', () => {
    // Also in the case that the end is that of a piece: as when a limit has cut it.
    for (const bytes of [1024 * 1024, 700_001]) {
      const file = ConsoleFile.create(path);
      const printed = 'y'.repeat(bytes);
      appendFileSync(path, printed);
      const { text: read, reads } = all(file);
      expect(read).toBe(printed);
      expect(reads).toBeGreaterThan(5);
      expect(statSync(path).size).toBe(0);
      file.close();
    }
  });

  it('that is full when somebody takes it over is emptied by the first look', () => {
    appendFileSync(path, 'z'.repeat(1024 * 1024));
    const file = ConsoleFile.open(path, 'end');
    expect(text(file)).toBe('');
    expect(statSync(path).size).toBe(0);
    appendFileSync(path, 'status\n');
    expect(text(file)).toBe('status\n');
    file.close();
  });

  it('that somebody else has emptied is read from its beginning', () => {
    const file = ConsoleFile.create(path);
    appendFileSync(path, 'much more than what comes\n');
    text(file);
    truncateSync(path);
    expect(text(file)).toBe('');
    appendFileSync(path, 'status\n');
    expect(text(file)).toBe('status\n');
    file.close();
  });

  it('that is closed says nothing', () => {
    const file = ConsoleFile.create(path);
    appendFileSync(path, 'late');
    file.close();
    file.close();
    expect(text(file)).toBe('');
  });
});
