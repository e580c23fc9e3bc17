import { expect, test } from 'vitest';
import { tooDeepAt } from './nesting.ts';

const MANY = 1_000;
const MAX = 900;

const link = (text: string) => (_: unknown, n: number) => text.replaceAll('N', String(n));
const chain = (text: string): string => Array.from({ length: MANY }, link(text)).join('');

test.each([
  ['conditions', `a = ${chain("t === 'N' ? 'N' : ")}''`],
  ['conditions, a line each', `a = ${chain("t === 'N'\n? 'N'\n: ")}''`],
  ['conditions over texts with separators', `a = ${chain("t === ';N' ? ',N' : ")}''`],
  ['conditions over templates', `a = ${chain('t === `$' + '{N}` ? `;` : ')}''`],
  ['conditions with comments', `a = ${chain("t === 'N' ? 'N' /* then; */ : // don't; \n")}''`],
  ['else if', `${chain("if (t === 'N') return 'N'; else ")}return ''`],
  ['else if, a line each', `${chain("if (t === 'N') return 'N'\nelse ")}return ''`],
  ['else if with blocks', `${chain("if (t === 'N') { return 'N'; } else ")}{}`],
  ['not', `a = ${chain('!')}t`],
  ['typeof', `a = ${chain('typeof ')}t`],
  ['sums', `a = t${chain(' + 1')}`],
  ['calls', `a = t${chain('()')}`],
  ['members', `a = t${chain('.x')}`],
  ['functions', `a = ${chain('t => ')}t`],
  ['labels', `${chain('lN: ')}t`],
  ['loops', `${chain('for (;;) ')}t`],
  ['brackets', `a = ${chain('[1, ')}${chain(']')}`],
  ['blocks', `${chain('{ a = 1; ')}${chain('}')}`],
  ['templates', `a = ${chain('`$' + '{')}t${chain('}`')}`],
])('what may nest too deeply is seen: %s', (_what, code) => {
  expect(tooDeepAt(code, MAX)).toEqual(expect.any(Number));
});

test.each([
  ['statements', chain("a = t === 'N' ? 'N' : 'M';")],
  ['statements without semicolons', chain("a = t === 'N' ? 'N' : 'M'\n")],
  ['functions', chain('function aN(t) { return t + 1 }\n')],
  ['elements', `a = [${chain("t ? 'N' : 'M', ")}]`],
  ['objects', `a = [${chain('{ n: -N }, ')}]`],
  ['cases', `switch (t) { ${chain("case 'N': return 'N'; ")} }`],
  ['brackets in texts', `a = '${chain('([{')}' + "${chain("it's (")}" + \`${chain('[')}\``],
  ['brackets in comments', `${chain('// ([{ don\'t "\n')}/* ${chain('([{')} */ a = 1`],
  ['an escaped quote', `a = '\\'${chain('(')}\\\\'`],
  ['more that is closed than open', `${chain('}')}${chain('a = !b;')}`],
])('what stands behind each other does not nest: %s', (_what, code) => {
  expect(tooDeepAt(code, MAX)).toBeUndefined();
});

test('the place is that of the statement, after all that nests less', () => {
  const before = chain('a = 1;\n');
  const at = tooDeepAt(`${before}a = ${chain('!')}t;\n`, MAX);
  expect(at).toBeGreaterThan(before.length);
});
