import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  /** Of each rule that is implemented: what its section links to, as the page writes it. */
  const rules = sections.flatMap((section) => {
    const rule = /^R\d+/.exec(section)?.[0];
    const links = [...section.matchAll(/\[`?([\w.-]+)`?\]\(\.\.\/(src\/fleet\/[\w./-]+\.ts)\)/g)];
    const places = links.map(([, name = '', path = '']) => ({ name, path }));
    return rule === undefined ? [] : [{ rule, section, places }];
  });

  it('has the rules of the design, in order', () => {
    const numbers = sections.flatMap((section) => section.match(/^R\d+/) ?? []);
    expect(numbers).toEqual(Array.from({ length: 11 }, (_, index) => `R${index + 1}`));
  });

  it('names for each section tests that are there', () => {
    for (const section of sections) {
      const [title = ''] = section.split('\n');
      const tests = [...section.matchAll(/\]\(\.\.\/(src\/fleet\/[\w/-]+\.test\.ts)\)/g)].map(
        (match) => match[1] ?? '',
      );
      expect([title, tests.length > 0]).toEqual([title, true]);
      for (const path of tests) expect([path, existsSync(join(DOCS, '..', path))]).toEqual([path, true]);
    }
  });

  it('names for each rule all tests that say by their titles that they are about it', () => {
    const tests = testsByRule();
    expect(tests.size).toBeGreaterThan(8);
    for (const { rule, places } of rules) {
      const named = new Set(places.map(({ path }) => path));
      expect([rule, [...(tests.get(rule) ?? [])].filter((path) => !named.has(path))]).toEqual([rule, []]);
    }
  });

  it('names for each rule functions that stand in their files', () => {
    for (const { rule, places } of rules) {
      const functions = places.filter(({ path }) => !path.endsWith('.test.ts'));
      expect([rule, functions.length > 0]).toEqual([rule, true]);
      const missing = functions.filter(({ name, path }) => {
        const source = readFileSync(join(DOCS, '..', path), 'utf8');
        return !new RegExp(`(function\\*?|class) ${name}\\b|^  ${name}\\(`, 'm').test(source);
      });
      expect([rule, missing]).toEqual([rule, []]);
    }
  });

  it('leads from each rule to its invariants, which simulations check, and back', () => {
    const rows = [...read('simulation.md').matchAll(/^\| \[(R\d+)\]\(rules\.md#/gm)].map(([, rule = '']) => rule);
    const leading = rules.filter(({ section }) => section.includes('(simulation.md#invariants-of-each-rule)'));
    expect(leading.map(({ rule }) => rule)).toEqual([...new Set(rows)]);
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

/** The tests of the fleet, by the rules that the titles of their groups name. */
function testsByRule(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const names = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((one) => one.endsWith('.test.ts'))) {
    const titles = readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/^ *describe\('([^']*)'/gm);
    for (const [, title = ''] of titles) {
      for (const [rule] of title.matchAll(/\bR\d+\b/g)) {
        found.set(rule, (found.get(rule) ?? new Set()).add(`src/fleet/${name}`));
      }
    }
  }
  return found;
}

function read(name: string): string {
  return readFileSync(join(DOCS, name), 'utf8');
}
