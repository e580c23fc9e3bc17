import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REQUEST_END_REASONS, VM_END_REASONS, WAIT_REASONS } from './values/end-reason.ts';
import { PARAMETERS } from './values/params.ts';

const DOCS = join(import.meta.dirname, '../../docs');

describe('docs/parameters.md', () => {
  it('names the parameters of the code, with their defaults and limits, in the same order', () => {
    const rows = [...read('parameters.md').matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (.+) \| (R\d.*) \|$/gm)];
    const documented = rows.map(([, name, value, min, max]) => [name, Number(value), Number(min), Number(max)]);
    expect(documented).toEqual(
      Object.entries(PARAMETERS).map(([name, parameter]) => [name, parameter.default, parameter.min, parameter.max]),
    );
  });
});

describe('docs/errors.md', () => {
  /** The words of a table and their second column. */
  const wordsIn = (title: string): [string, string][] => {
    const section =
      read('errors.md')
        .split(/^### /m)
        .find((one) => one.startsWith(`${title}\n`)) ?? '';
    const table = section.split(/^## /m)[0] ?? '';
    return [...table.matchAll(/^\| `([a-z-]+)` \| (.*?) ?\| .+ \|$/gm)].map(([, word = '', second = '']) => [
      word,
      second,
    ]);
  };

  it('explains the reason of each end of a VM, and no other', () => {
    expect(wordsIn("Reasons of a VM's end").map(([word]) => word)).toEqual(VM_END_REASONS);
  });

  it('explains the reason of each end of a request, with its status, and no other', () => {
    const statuses = Object.entries(REQUEST_END_REASONS).map(([word, status]) => [word, String(status ?? '')]);
    expect(wordsIn("Reasons of a request's end")).toEqual(statuses);
  });

  it('explains the reason of each wait, and no other', () => {
    expect(wordsIn('Reasons of a wait').map(([word]) => word)).toEqual(WAIT_REASONS);
  });

  it('has one meaning for each word', () => {
    const words = [...VM_END_REASONS, ...Object.keys(REQUEST_END_REASONS), ...WAIT_REASONS];
    expect(new Set(words).size).toBe(words.length);
  });
});

describe('docs/rules.md', () => {
  const sections = read('rules.md').split(/^## /m).slice(1);

  it('has the rules of the design, in order', () => {
    const numbers = sections.flatMap((section) => section.match(/^R\d+/) ?? []);
    expect(numbers).toEqual(Array.from({ length: 11 }, (_, index) => `R${index + 1}`));
  });

  it('says for each which test holds it, and that test is there and is about it', () => {
    for (const section of sections) {
      const [title = ''] = section.split('\n');
      const tests = [...section.matchAll(/\]\(\.\.\/(src\/fleet\/[\w/-]+\.test\.ts)\)/g)].map(
        (match) => match[1] ?? '',
      );
      // R10 is carried out elsewhere.
      expect([title, tests.length > 0]).toEqual([title, !title.startsWith('R10')]);
      for (const path of tests) expect([path, existsSync(join(DOCS, '..', path))]).toEqual([path, true]);
    }
  });

  const rows = [...read('rules.md').matchAll(/^\| (R\d+) \| (.+?) \| (.*?) ?\|$/gm)];

  it('has a row for each rule, in order', () => {
    expect(rows.map(([, rule]) => rule)).toEqual(Array.from({ length: 11 }, (_, index) => `R${index + 1}`));
  });

  it('names for each rule functions that stand in their files, and tests that are there', () => {
    const tests = new Set(
      readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).map((path) => basename(path)),
    );
    for (const [, rule, functions = '', named = ''] of rows) {
      const places = [...functions.matchAll(/`(\w+)` in `([\w/.-]+)`/g)];
      const files = [...named.matchAll(/`([\w.-]+)`/g)].map((match) => match[1] ?? '');
      // R10 is not implemented.
      const isThere = rule !== 'R10';
      expect([rule, places.length > 0, files.length > 0]).toEqual([rule, isThere, isThere]);
      expect([rule, files.filter((file) => !tests.has(file))]).toEqual([rule, []]);
      const missing = places.filter(([, name, path = '']) => {
        const source = readFileSync(join(import.meta.dirname, path), 'utf8');
        return !new RegExp(`(function\\*?|class) ${name}\\b|^  ${name}\\(`, 'm').test(source);
      });
      expect([rule, missing.map(([text]) => text)]).toEqual([rule, []]);
    }
  });

  it('names only parameters that exist', () => {
    const named = [...read('rules.md').matchAll(/`(\w+_(?:ms|max|count|percent|bytes))`/g)].map(
      (match) => match[1] ?? '',
    );
    const figures = ['link_down_ms', 'ejected_max', 'silent_ms', 'reserved_ms'];
    const unknown = named.filter((name) => !(name in PARAMETERS) && !figures.includes(name));
    expect(unknown).toEqual([]);
  });
});

function read(name: string): string {
  return readFileSync(join(DOCS, name), 'utf8');
}
