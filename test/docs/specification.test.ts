import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Page } from './page.ts';

const PATH = 'docs/SPECIFICATION.md';
const page = Page.read(PATH);

interface Promised {
  readonly number: string;
  readonly row: string;
}

interface NamedTest {
  /** The promise that it holds. */
  readonly number: string;
  readonly path: string;
  /** The test's title, or a part of it. */
  readonly title: string;
}

const [promised = '', evidence = ''] = page.text.split(/^## Tests$/m);
const promises: Promised[] = [...promised.matchAll(/^\| (\d+\.\d+) \| .+ \|$/gm)].map((match) => ({
  number: match[1] ?? '',
  row: match[0],
}));
const tests = testsNamedIn(evidence);
const titlesOf = memo(testTitles);

describe(PATH, () => {
  test('numbers its promises without a gap', () => {
    const sections = promised.split(/^## /m).slice(1);
    const expected = sections.flatMap((section, index) => {
      expect(section).toMatch(new RegExp(`^${index + 1} `));
      return [...section.matchAll(/^\| \d+\.\d+ \|/gm)].map((_, row) => `${index + 1}.${row + 1}`);
    });
    expect(promises.map(({ number }) => number)).toEqual(expected);
  });

  test('lists tests in the order of the promises, and for no promise that does not exist', () => {
    const listed = [...new Set(tests.map(({ number }) => number))];
    expect(listed).toEqual(promises.map(({ number }) => number).filter((number) => listed.includes(number)));
    // No row of these tables escapes the parser.
    expect(tests.length).toBe(evidence.match(/^\| \d/gm)?.length);
  });

  test.each(promises.map(({ number, row }) => [number, row]))(
    '%s is held by tests, or by a row of the bench, that exist',
    (number, row) => {
      const holding = tests.filter((one) => one.number === number);
      const bench = /\| `([a-z0-9-]+)` \| [<>]= [\d.]+ \|/.exec(row)?.[1];
      expect(holding.length > 0 || bench !== undefined).toBe(true);
      expect(holding.flatMap(problemOfTest)).toEqual([]);
      if (bench !== undefined) expect(benchRows()).toContain(bench.replace(/-\d+$/, ''));
    },
  );

  test('gives each row of the bench the aim that the bench has', () => {
    const sources = benchSources();
    for (const { row } of promises) {
      const [, name, sign, aim] = /\| `([a-z0-9-]+)` \| ([<>])= ([\d.]+) \|/.exec(row) ?? [];
      if (name === undefined) continue;
      const near = sources.slice(sources.indexOf(name.replace(/-\d+$/, ''))).slice(0, 2_000);
      const told = new RegExp(
        `${sign === '<' ? 'atMost' : 'atLeast'}: ${aim}|COST_MAX = ${aim};|'${name}', '\\w+', ${aim}\\)`,
      );
      expect(`${name}: ${told.test(`${near}\n${sources}`)}`).toBe(`${name}: true`);
    }
  });
});

describe('a promise is found to be held by nothing when', () => {
  test.each([
    ['its test file does not exist', '| 1.1 | [`a.test.ts`](../src/a.test.ts) | "x" |'],
    ['its test has another title', '| 1.1 | [`errors.test.ts`](../src/errors.test.ts) | "no test has this name" |'],
  ])('%s', (_, row) => {
    expect(testsNamedIn(row).flatMap(problemOfTest)).toHaveLength(1);
  });
});

/** Parses rows of the form `| 1.1 | [`x.test.ts`](../x.test.ts) | "title" |`. */
function testsNamedIn(text: string): NamedTest[] {
  return [...text.matchAll(/^\| (\d+\.\d+) \| \[`[\w.-]+`\]\(\.\.\/([\w./-]+)\) \| "([^"]+)" \|$/gm)].map(
    ([, number = '', path = '', title = '']) => ({ number, path, title }),
  );
}

function problemOfTest({ path, title }: NamedTest): string[] {
  if (!existsSync(path)) return [`${path} does not exist`];
  return titlesOf(path).some((one) => one.includes(title)) ? [] : [`${path} has no test with "${title}" in its name`];
}

/** The first argument of each test, in every form in which tests are written. */
function testTitles(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  // The guest's own tests, in C++.
  if (path.endsWith('.cpp')) return [...text.matchAll(/^TEST\("(.+)"\)/gm)].map((match) => match[1] ?? '');
  const titles = text.matchAll(
    /(?:\b(?:it|test)(?:\.\w+)*|\])?\)?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1,\s*(?:async\b|\(|\{)/g,
  );
  return [...titles].map((match) => (match[2] ?? '').replace(/\\(.)/g, '$1'));
}

function benchRows(): string[] {
  return [
    ...benchSources().matchAll(
      /wanted\('([a-z-]+)'\)|name: [`']([a-z-]+?)-?(?:\$\{|[`'])|^ {2}'?([a-z-]+)'?: \(vms\) =>/gm,
    ),
  ].map(([, wanted, name, among]) => wanted ?? name ?? `${among}-among`);
}

function benchSources(): string {
  return ['main-suite.ts', 'start-suite.ts', 'many-vms-suite.ts', 'port-suite.ts', 'policy-suite.ts']
    .map((name) => readFileSync(join('bench', name), 'utf8'))
    .join('\n');
}

function memo<T>(make: (path: string) => T): (path: string) => T {
  const made = new Map<string, T>();
  return (path) => {
    const value = made.get(path) ?? make(path);
    made.set(path, value);
    return value;
  };
}
