import { describe, expect, test } from 'vitest';
import { type Page, pages } from './page.ts';

/** A line that fits into an editor beside another window. */
const LINE_CHARS_MAX = 119;
/** A row of a table cannot be wrapped. */
const ROW_CHARS_MAX = 299;

/** The guest's own pages are laid out beside its sources. */
const ELSEWHERE = ['docs/guest-contract.md', 'includeos/README.md'];
const checked = pages().filter(({ path }) => !ELSEWHERE.includes(path));

describe('the lines of the documentation are short', () => {
  test.each(checked.map((page) => [page.path, page] as const))('in %s', (_, page) => {
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
