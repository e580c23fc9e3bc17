import { describe, expect, test } from 'vitest';
import { Page, pages } from './page.ts';

/** Words that the documentation no longer uses, with the word of the glossary in their place. */
const RETIRED: Readonly<Record<string, string>> = {
  news: 'event',
  mishap: 'fault',
  mishaps: 'fault',
  'stand-in': 'proxy',
  parcel: 'encoded message',
  seat: 'placement',
  tenancy: 'reservation',
  happening: 'event line',
};

describe('docs/glossary.md', () => {
  const page = Page.read('docs/glossary.md');
  const terms = [...page.prose.matchAll(/^\| (?!term \|)([^|]+) \| [^|]+ \| [^|]+ \|$/gm)].map(([, term = '']) => term);

  test('has each term once, in alphabetical order', () => {
    const key = (term: string) => term.toLowerCase();
    expect(terms.length).toBeGreaterThan(50);
    expect(terms).toEqual([...terms].sort((a, b) => (key(a) < key(b) ? -1 : 1)));
    expect(new Set(terms.map(key)).size).toBe(terms.length);
  });

  test('has the words that replace others', () => {
    expect(Object.values(RETIRED).filter((word) => !terms.includes(word))).toEqual([]);
  });

  test.each(pages().map((one) => [one.path, one] as const))('its words are used in %s', (_, one) => {
    const retired = new RegExp(`\\b(${Object.keys(RETIRED).join('|')})\\b`, 'i');
    const found = withoutQuotes(one.prose)
      .split('\n')
      .flatMap((line, index) => (retired.test(line) ? [`${one.path}:${index + 1}: ${retired.exec(line)?.[1]}`] : []));
    expect(found).toEqual([]);
  });
});

/** Code and titles of tests keep their own words. */
function withoutQuotes(prose: string): string {
  return prose.replace(/`[^`\n]+`|“[^”]+”|"[^"\n]+"/g, '');
}
