import { expect, test } from 'vitest';
import { draw, formatDuration, parseDuration } from './duration.ts';
import { Chance } from './random.ts';

test.each([
  ['50', { kind: 'constant', ms: 50 }],
  ['0.5', { kind: 'constant', ms: 0.5 }],
  ['20..80', { kind: 'uniform', fromMs: 20, toMs: 80 }],
  ['lognormal:50:0.5', { kind: 'lognormal', medianMs: 50, sigma: 0.5 }],
])('%s is read, and written in the same form', (text, duration) => {
  expect(parseDuration(text, '--boot')).toEqual(duration);
  expect(formatDuration(parseDuration(text, '--boot'))).toBe(text);
});

test.each(['', 'soon', '-1', '80..20', '1..', 'lognormal:50', 'lognormal:50:5', '3600001', '1e3', 'lognormal::1'])(
  '"%s" is refused with the flag, the forms and the value',
  (text) => {
    const message = `Expected --boot to be \`50\`, \`20..80\` or \`lognormal:50:0.5\` (median and sigma, up to 4), in milliseconds up to 3600000, got \`${text}\``;
    expect(() => parseDuration(text, '--boot')).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE', message }));
  },
);

test('draws keep to their distribution', () => {
  const chance = new Chance(1);
  const drawn = (text: string): number[] =>
    Array.from({ length: 4_001 }, () => draw(parseDuration(text, '--boot'), chance)).sort((a, b) => a - b);
  expect(new Set(drawn('7'))).toEqual(new Set([7]));
  const uniform = drawn('20..80');
  expect([uniform[0] ?? 0, uniform.at(-1) ?? 0, uniform[2_000] ?? 0].map((ms) => Math.round(ms / 10))).toEqual([
    2, 8, 5,
  ]);
  const lognormal = drawn('lognormal:50:1');
  expect(Math.abs((lognormal[2_000] ?? 0) - 50)).toBeLessThan(5);
  // A standard deviation above the median: a factor of e.
  expect(Math.abs((lognormal[Math.round(4_001 * 0.8413)] ?? 0) / 50 - Math.E)).toBeLessThan(0.3);
});
