import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Page } from './page.ts';

/** The pages that say where something is in the code. */
const PAGES = ['docs/architecture.md', 'docs/rules.md', 'docs/glossary.md', 'CONTRIBUTING.md'];

/** A folder of the project, or a file of code; a page may leave out the folders above it. */
const PATH = /^(?:(?:src|test|bench|demo|docs|includeos)\/[\w./-]*|(?:[\w-]+\/)*[\w.-]+\.ts|(?:[\w-]+\/)+)$/;
/** Made by the build. */
const GENERATED = ['dist/'];
/** A function and the file that it is in. */
const PLACE = /((?:`\w+`, )*`\w+`) in `([\w./-]+\.ts)`/g;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  encoding: 'utf8',
  timeout: 30_000,
}).split('\0');

describe('the paths of the code', () => {
  test.each(PAGES)('in %s exist', (path) => {
    const named = Page.read(path).spans.filter(({ text }) => PATH.test(text) && !GENERATED.includes(text));
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter(({ text }) => !exists(text)).map(({ text, line }) => `${path}:${line}: ${text}`)).toEqual([]);
  });

  test.each(PAGES)('in %s have the functions that the page says are in them', (path) => {
    const missing = [...Page.read(path).prose.matchAll(PLACE)].flatMap(([, names = '', file = '']) => {
      const text = filesNamed(file)
        .map((one) => readFileSync(one, 'utf8'))
        .join('\n');
      const all = [...names.matchAll(/\w+/g)].map(([name]) => name);
      return all.filter((name) => !new RegExp(`\\b(?:function\\*?|class) ${name}\\b|^ +${name}\\(`, 'm').test(text));
    });
    expect(missing).toEqual([]);
  });
});

test.each(['policy/plan.ts', 'src/process', 'values/', 'state/fleet.ts'])('the path %s is found', (path) => {
  expect([PATH.test(path), exists(path)]).toEqual([true, true]);
});

test.each(['policy/no-such-file.ts', 'src/no-such-folder', 'no-such-folder/', 'olicy/plan.ts'])(
  'the path %s is found missing',
  (path) => {
    expect([PATH.test(path), exists(path)]).toEqual([true, false]);
  },
);

function exists(path: string): boolean {
  return filesNamed(path).length > 0;
}

/** The files that a path may mean, or that are in the folder that it may mean. */
function filesNamed(path: string): readonly string[] {
  const wanted = `/${path.replace(/\/$/, '')}`;
  return files.filter((file) => {
    const rooted = `/${file}`;
    return rooted.endsWith(wanted) || rooted.includes(`${wanted}/`);
  });
}
