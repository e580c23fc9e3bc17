import { describe, expect, test } from 'vitest';
import { Page, pages } from './page.ts';

const LINE_MAX = 120;
/** A row cannot be broken. A longer one is text that belongs below the table. */
const ROW_MAX = 300;

const documents = pages().filter(({ path }) => /^(README\.md|CONTRIBUTING\.md|docs\/.*\.md)$/.test(path));

describe('the documents', () => {
  test.each(documents.map((page) => [page.path, page] as const))('%s has no line that is too long', (_, page) => {
    expect(tooLong(page)).toEqual([]);
  });
});

describe('a line that is too long is found', () => {
  test.each([
    ['in prose', 'a'.repeat(121), ['test.md:1: 121 of 120 characters']],
    ['in a table', `| ${'a'.repeat(300)} |`, ['test.md:1: 304 of 300 characters']],
    ['in an item of a list', `text\n\n- ${'a'.repeat(119)}`, ['test.md:3: 121 of 120 characters']],
    ['but no shorter ones', `${'ä'.repeat(120)}\n| ${'a'.repeat(296)} |`, []],
    ['but none in code', `\`\`\`sh\n${'a'.repeat(500)}\n\`\`\``, []],
  ])('%s', (_, text, found) => {
    expect(tooLong(new Page('test.md', text))).toEqual(found);
  });
});

/** Code is exempt: it is quoted as it is. */
function tooLong(page: Page): string[] {
  return page.prose.split('\n').flatMap((line, index) => {
    const max = line.startsWith('|') ? ROW_MAX : LINE_MAX;
    return line.length > max ? [`${page.path}:${index + 1}: ${line.length} of ${max} characters`] : [];
  });
}
