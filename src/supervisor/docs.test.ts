import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import type { AutoShutdown, Directive, Restart, Strategy } from './mod.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const EXAMPLES = join(DOCS, 'supervision');
const page = readFileSync(join(DOCS, 'supervision.md'), 'utf8');
const examples = readdirSync(EXAMPLES).map((name) => [name, readFileSync(join(EXAMPLES, name), 'utf8')] as const);

describe('docs/supervision.md', () => {
  it.each(examples)('shows docs/supervision/%s as it is', (name, source) => {
    const shown = page.split(`[\`${name}\`](supervision/${name})\n\n\`\`\`ts\n`)[1]?.split('```')[0];
    expect(shown).toBe(source.replaceAll(/'\.\.\/\.\.\/src\/(actors|supervisor)\/mod\.ts'/g, "'shoal/$1'"));
  });

  it.each(examples)('says what docs/supervision/%s prints', async (name, source) => {
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
    });
    try {
      await import(join(EXAMPLES, name));
    } finally {
      log.mockRestore();
    }
    const said = [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map((match) => match[1]);
    expect(said.length).toBeGreaterThan(0);
    expect(printed).toEqual(said);
  });

  it('names every strategy, type of restart, automatic shutdown and directive', () => {
    const words: Record<Strategy | Restart | AutoShutdown | Directive, true> = {
      resume: true,
      restart: true,
      stop: true,
      one_for_one: true,
      one_for_all: true,
      rest_for_one: true,
      permanent: true,
      transient: true,
      temporary: true,
      never: true,
      any_significant: true,
      all_significant: true,
    };
    expect(Object.keys(words).filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
  });
});

describe("the table of OTP's contract", () => {
  const sections = page.split('## The contract')[1]?.split(/^### /m).slice(1) ?? [];
  const files = readdirSync(import.meta.dirname).filter((name) => name.startsWith('otp-contract'));

  it('has a section for each file of its tests', () => {
    const named = sections.map((section) => section.match(/src\/supervisor\/([\w.-]+)\)/)?.[1]);
    expect(named.sort()).toEqual(files.sort());
  });

  it.each(files)('names each test of %s, and no other', (file) => {
    const section = sections.find((one) => one.includes(`/${file})`)) ?? '';
    const named = [...section.matchAll(/“([^”]+)”/g)].map((match) => match[1]);
    const source = readFileSync(join(import.meta.dirname, file), 'utf8');
    const titles = [...source.matchAll(/^ {2}(?:it\(|it\.each\(.*\)\(|\]\)\()\s*'([^']+)'/gm)].map((match) => match[1]);
    expect([...new Set(named)].sort()).toEqual([...new Set(titles)].sort());
  });
});
