import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Page, pages } from './page.ts';

describe('the links of the documentation', () => {
  test.each(pages().map((page) => [page.path, page] as const))('in %s lead somewhere', (_, page) => {
    expect(page.links.flatMap(({ text, line }) => problem(page, text, line))).toEqual([]);
  });

  test('every page of docs/ can be reached from the README', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path) || !path.endsWith('.md') || !existsSync(path)) return;
      reached.add(path);
      const page = Page.read(path);
      for (const { text } of page.links) if (!isElsewhere(text)) visit(fileOf(page, text));
    };
    visit('README.md');
    const all = pages().map(({ path }) => path);
    expect(all.filter((path) => path.startsWith('docs/') && !reached.has(path))).toEqual([]);
  });
});

describe('what is wrong with a link is found', () => {
  test.each([
    ['a file that is not there', '[a](nowhere.md)', 1],
    ['a heading that is not there', '[a](#nowhere)', 1],
    ['a heading that is not there on another page', '[a](docs/rules.md#r99-nothing)', 1],
    ['a path of the machine', '[a](/etc/passwd)', 1],
    ['one to a file, a heading and a folder', '# My `heading`\n[a](README.md) [b](#my-heading) [c](includeos/)', 0],
    ['one in code, which is none', '`[a](nowhere.md)`\n```\n[b](nowhere.md)\n```', 0],
  ])('%s', (_, text, count) => {
    const page = new Page('test.md', text);
    expect(page.links.flatMap((link) => problem(page, link.text, link.line))).toHaveLength(count);
  });
});

function problem(page: Page, target: string, line: number): string[] {
  if (isElsewhere(target)) return [];
  const [, anchor] = target.split('#');
  const path = fileOf(page, target);
  const at = `${page.path}:${line}: ${target}`;
  if (path === page.path) return anchor === undefined || page.anchors.has(anchor) ? [] : [`${at}: no such heading`];
  if (target.startsWith('/') || path.startsWith('..') || !existsSync(path)) return [`${at}: no such file`];
  if (anchor === undefined) return [];
  const isPage = statSync(path, { throwIfNoEntry: false })?.isFile() === true && path.endsWith('.md');
  const anchors = isPage ? Page.read(path).anchors : new Set<string>();
  return anchors.has(anchor) ? [] : [`${at}: no such heading`];
}

function isElsewhere(target: string): boolean {
  return /^https?:\/\//.test(target);
}

function fileOf(page: Page, target: string): string {
  const [path = ''] = target.split('#');
  return path === '' ? page.path : normalize(join(dirname(page.path), path));
}
