import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinePattern, parseLinePattern } from './line-pattern.ts';

const NAMES = ['cpu', 'ram'];

function compiled(pattern: string): LinePattern {
  const parsed = parseLinePattern(pattern, NAMES);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

/** What JavaScript's own engine finds. */
function expected(pattern: string, line: string): ReadonlyMap<string, string> | undefined {
  const groups = new RegExp(pattern, 's').exec(line)?.groups;
  const found = new RegExp(pattern, 's').test(line);
  if (!found) return undefined;
  return new Map(Object.entries(groups ?? {}).filter(([, text]) => text !== undefined));
}

describe('a pattern for lines', () => {
  it.each([
    ['cpu=(?<cpu>\\d+)', 'load cpu=12 ram=3'],
    ['^cpu=(?<cpu>\\d+)$', 'cpu=12 '],
    ['(?<cpu>a|ab)(?<ram>c|bcd)', 'abcd'],
    ['(?<cpu>.*?)x(?<ram>.*)', 'aaxbxc'],
    ['(?<cpu>a{2,3})(?<ram>a*)', 'aaaaa'],
    ['[^0-9]+(?<cpu>[0-9.]{1,4})', 'cpu: 12.55'],
    ['\\w+\\s\\S\\.\\t?[\\]a-c-]', 'ab x.-'],
    ['', 'anything'],
  ])('%s finds what JavaScript finds in "%s"', (pattern, line) => {
    expect(compiled(pattern).match(line)).toEqual(expected(pattern, line));
  });

  it('agrees with JavaScript on whether and where random patterns match', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(?:ab)', '(?:a|b)', '(?:a|)');
    const repeated = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '*?', '+?', '{2}', '{1,3}'))
      .map(([a, r]) => a + r);
    const part = fc.array(repeated, { maxLength: 5 }).map((parts) => parts.join(''));
    const line = fc.string({ unit: fc.constantFrom('a', 'b', '1'), maxLength: 12 });
    fc.assert(
      fc.property(part, part, line, (first, second, text) => {
        const pattern = `(?<cpu>${first})(?<ram>${second})`;
        expect(compiled(pattern).match(text)).toEqual(expected(pattern, text));
      }),
    );
  });

  it.each(['(?:a*)*b', '(?:a|aa)+b', '(?:a?){50}a{50}b', '(?:.*a){12}b'])('%s is no danger', (pattern) => {
    const parsed = compiled(pattern);
    const line = 'a'.repeat(1_000);
    expect(parsed.match(line)).toBeUndefined();
    // Its program has at most 200 instructions.
    expect(parsed.steps).toBeLessThan(200 * 2 * 1_001);
  });

  it('matches nothing in a line that is too long', () => {
    expect(compiled('a').match('a'.repeat(1_024))).toBeDefined();
    expect(compiled('a').match('a'.repeat(1_025))).toBeUndefined();
  });

  it.each([
    ['(a', 'a "(" is not closed'],
    ['a)', 'a ")" closes nothing'],
    ['*a', 'nothing to repeat'],
    ['a**', 'a repetition is repeated'],
    ['^*', 'cannot be repeated'],
    ['a{2', 'no repetition such as {2,5}'],
    ['a{3,2}', 'the lower number first'],
    ['a{101}', 'at most 100'],
    ['[a', 'ends too early'],
    ['[b-a]', 'ends before it begins'],
    ['\\1', 'is not supported'],
    ['(?=a)', 'a group begins with'],
    ['(?<!a)b', 'a group begins with'],
    ['(?<temp>a)', 'no field "temp"'],
    ['(?<cpu>a)(?<cpu>b)', 'stands there twice'],
    ['(?:a{100}){3}', 'too long'],
    ['('.repeat(30), 'nested'],
    ['a\\', 'ends too early'],
  ])('%s is refused with the reason', (pattern, why) => {
    expect(parseLinePattern(pattern, NAMES)).toEqual(expect.stringContaining(why));
  });

  it('never throws, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (pattern, line) => {
        const parsed = parseLinePattern(pattern, NAMES);
        if (parsed instanceof LinePattern) parsed.match(line);
        else expect(parsed).toEqual(expect.any(String));
      }),
    );
  });
});
