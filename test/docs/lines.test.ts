import { describe, expect, test } from 'vitest';
import { type Page, pages } from './page.ts';

/** A line that fits into an editor beside another window. */
const LINE_CHARS_MAX = 119;
/** A row of a table cannot be wrapped. */
const ROW_CHARS_MAX = 299;

describe('the lines of the documentation are short', () => {
  test.each(pages().map((page) => [page.path, page] as const))('in %s', (_, page) => {
    expect(longLines(page)).toEqual([]);
  });
});

/** Code is exempt. */
function longLines({ path, prose }: Page): string[] {
  return prose.split('\n').flatMap((line, index) => {
    const max = line.startsWith('|') ? ROW_CHARS_MAX : LINE_CHARS_MAX;
    return line.length > max ? [`${path}:${index + 1}: ${line.length} characters`] : [];
  });
}
