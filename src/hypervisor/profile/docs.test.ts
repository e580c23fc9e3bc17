import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECK_POINTS } from '../check/check-point.ts';
import { PLACEHOLDER_NAMES } from './command-line.ts';
import { PROFILE_FIELDS, parseProfile } from './parse-profile.ts';
import { BOOT_METHODS, POWER_OFFS } from './profile.ts';
import { BUILT_IN_PROFILE, SHIPPED_PROFILES } from './shipped.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/images.md'), 'utf8');

/** The rows of the table with these headings, as cells. */
function table(...headings: readonly string[]): readonly (readonly string[])[] {
  const [, body = ''] = PAGE.split(`| ${headings.join(' | ')} |\n`);
  const rows = body.split('\n').slice(1);
  return rows
    .slice(
      0,
      rows.findIndex((row) => !row.startsWith('|')),
    )
    .map((row) => row.slice(2, -2).split(' | '));
}

const code = (cell = ''): string => /^`([^`]*)`$/.exec(cell)?.[1] ?? cell;

describe('the page about images', () => {
  it('lists the fields of a profile, each with its default', () => {
    const rows = table('field', 'default', 'values', 'what it is');
    expect(rows.map(([name]) => code(name))).toEqual(PROFILE_FIELDS);
    const standard: Readonly<Record<string, unknown>> = { ...BUILT_IN_PROFILE };
    for (const [name, value] of rows) {
      const own = standard[code(name)];
      const expected =
        own === undefined ? 'none' : code(name) === 'commandLine' ? "the contract's words" : JSON.stringify(own);
      expect([name, code(value)]).toEqual([name, expected]);
    }
  });

  it('has examples that can be used', () => {
    const examples = [...PAGE.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text = '']): object => JSON.parse(text));
    expect(examples).toHaveLength(3);
    for (const example of examples) expect(parseProfile(example, 'docs/images.md')).toMatchObject(example);
    expect(parseProfile(examples[0], 'docs/images.md')).toEqual(SHIPPED_PROFILES['includeos']);
  });

  it('lists placeholders, ways to boot and to stop, and the points of a check', () => {
    const first = (rows: readonly (readonly string[])[]): readonly string[] => rows.map(([name]) => code(name));
    const braced = PLACEHOLDER_NAMES.map((name) => `{${name}}`);
    expect(first(table('placeholder', 'example', 'what it is'))).toEqual(braced);
    expect(first(table('`boot`', 'the image is', 'Shoal checks'))).toEqual(BOOT_METHODS);
    expect(first(table('`by`', 'a stop is clean if'))).toEqual(POWER_OFFS);
    const points = table('point', 'ok if').map(([name, what]) => [code(name), what]);
    expect(points).toEqual(Object.entries(CHECK_POINTS));
  });

  it('names the profiles that come with Shoal', () => {
    for (const name of Object.keys(SHIPPED_PROFILES)) expect(PAGE).toContain(`\`${name}\``);
  });
});
