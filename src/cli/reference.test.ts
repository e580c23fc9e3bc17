import { describe, expect, test } from 'vitest';
import { Page } from '../../test/docs/page.ts';
import { ERRORS } from '../errors.ts';
import { PARAMETERS, REQUEST_END_REASONS, VM_END_REASONS, WAIT_REASONS } from '../fleet/mod.ts';
import { Reference } from './reference.ts';

const reference = Reference.read();

describe('the reference', () => {
  test('explains every rule, error code, reason and parameter', () => {
    const names = [
      ...Array.from({ length: 11 }, (_, index) => `R${index + 1}`),
      ...Object.keys(ERRORS),
      ...VM_END_REASONS,
      ...Object.keys(REQUEST_END_REASONS),
      ...WAIT_REASONS,
      ...Object.keys(PARAMETERS),
    ];
    expect(reference.entries.map(({ name }) => name).sort()).toEqual(names.sort());
  });

  test('gives errors their meaning and remedy, parameters their figures, rules their text', () => {
    expect(reference.find('VM_UNKNOWN')).toMatchObject({
      meaning: ERRORS.VM_UNKNOWN,
      remedy: expect.stringContaining('shoal ps'),
    });
    expect(reference.find('free_count')).toMatchObject({ default: 5, least: 1, rules: 'R5' });
    expect(reference.find('poison')).toMatchObject({ meaning: 'the request ended because its VM got stuck over it' });
    expect(reference.find('R5')).toMatchObject({
      title: 'Idle',
      text: expect.stringContaining('free_count'),
      page: 'docs/rules.md#r5-idle',
      functions: expect.arrayContaining(['scaleDown in src/fleet/policy/default-sizing.ts']),
      tests: expect.arrayContaining(['src/fleet/policy/rules/scale-down.test.ts']),
    });
  });

  test('takes names in any case, and finds what they are part of', () => {
    expect(reference.find('vm_unknown')).toBe(reference.find('VM_UNKNOWN'));
    expect(reference.find('r5')).toBe(reference.find('R5'));
    expect(reference.find('nonsense')).toBeUndefined();
    expect(reference.like('deadline').map(({ name }) => name)).toEqual(['REQUEST_DEADLINE', 'deadline_ms']);
  });

  test('names for each rule its page, its functions and its tests, and not within its text', () => {
    const rules = reference.entries.filter((entry) => entry.kind === 'rule');
    for (const { name, text, page, functions, tests } of rules) {
      expect([name, Page.read('docs/rules.md').anchors.has(page.replace('docs/rules.md#', ''))]).toEqual([name, true]);
      expect([name, /test\.ts|Held by|Decided by/.test(text)]).toEqual([name, false]);
      expect([name, functions.length > 0, tests.length > 0]).toEqual([name, true, true]);
    }
  });

  test('has no links in it, which a terminal cannot follow', () => {
    for (const entry of reference.entries) expect(JSON.stringify(entry)).not.toMatch(/\]\(/);
  });
});
