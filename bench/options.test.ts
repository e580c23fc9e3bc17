import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { benchOptions, helpText, UsageError } from './options.ts';

const known = { suites: ['main', 'actors'], compared: ['actors'] };
const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
mkdirSync(join(folder, 'bench'));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (line: string) =>
  benchOptions(
    line.split(' ').filter((word) => word !== ''),
    known,
  );

describe('a call of the benchmark', () => {
  it('runs the suite main if none is named', () => {
    expect(parse('')).toMatchObject({ suite: 'main', comparison: undefined, only: '', strict: false, minutes: 20 });
  });

  it('takes what the help lists', () => {
    const file = join(folder, 'rows.json');
    expect(parse(`actors --only ask --json ${file} --strict --minutes 0.5`)).toEqual({
      suite: 'actors',
      comparison: undefined,
      only: 'ask',
      json: file,
      strict: true,
      minutes: 0.5,
      images: [],
    });
    expect(parse(`compare actors --base ${folder} --pairs 5`)).toMatchObject({
      suite: 'compare',
      comparison: { suites: ['actors'], base: folder, pairs: 5 },
      minutes: 180,
    });
    const guests = ['guests', '--image', 'a.elf', '--image', 'b'];
    expect(benchOptions(guests, { suites: ['guests'], compared: [] })).toMatchObject({ images: ['a.elf', 'b'] });
    expect(parse('actors --help')).toBe('help');
  });

  it.each([
    ['nonesuch', 'there is no suite "nonesuch"; there are main, actors, compare'],
    ['main --image x', '--image is for the suite guests, not for main'],
    ['toString', 'there is no suite "toString"; there are main, actors, compare'],
    ['actors shards', 'unexpected argument "shards"'],
    ['--nope', "Unknown option '--nope'"],
    ['--only', "Option '--only <value>' argument missing"],
    ['--minutes soon', 'expected --minutes to be a number above 0, got "soon"'],
    ['--minutes 0', 'expected --minutes to be a number above 0, got "0"'],
    ['--json /nowhere/at/all.json', 'expected --json to be a file in a folder that exists, got "/nowhere/at/all.json"'],
    [`--json ${folder}`, `expected --json to be a file in a folder that exists, got "${folder}"`],
    ['actors --pairs 3', '--pairs is for compare, not for the suite actors'],
    ['compare', 'compare needs --base DIR, another checkout that is set up'],
    ['compare --base /nowhere', '--base "/nowhere" is no checkout of Shoal'],
    [`compare main --base ${folder}`, 'compare runs actors, not "main"'],
    [`compare --base ${folder} --pairs 1.5`, 'expected --pairs to be a number above 0, got "1.5"'],
  ])('%s is refused', (line, message) => {
    expect(() => parse(line)).toThrow(new UsageError(message));
  });

  it('has a help that names every suite', () => {
    expect(helpText(known)).toContain('SUITE is one of main, actors (default: main)');
  });
});

describe('bench/main.ts', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { timeout: 30_000 }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      // What execFile rejects with.
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
    );

  it('prints its help', async () => {
    const { code, stdout, stderr } = await run('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^npm run bench -- \[SUITE\]/);
  });

  it('says in one line what is wrong, and ends with 2', async () => {
    const { code, stdout, stderr } = await run('--nope');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe("bench: Unknown option '--nope'; `npm run bench -- --help` shows what it takes\n");
  });

  it('says that no row has the name that was asked for, and ends with 2', async () => {
    const { code, stdout, stderr } = await run('actors', '--only', 'nonesuch');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('bench: no row of actors has a name with "nonesuch" in it\n');
  });
});
