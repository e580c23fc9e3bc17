import fc from 'fast-check';
import { headers as natsHeaders } from 'nats';
import { describe, expect, test } from 'vitest';
import { parseRequestHeaders } from './request-headers.ts';

function parse(...pairs: readonly (readonly [string, string])[]) {
  const headers = natsHeaders();
  for (const [name, value] of pairs) headers.append(name, value);
  return parseRequestHeaders(headers);
}

test('nothing asked for: the defaults', () => {
  const contentType = undefined;
  expect(parse()).toEqual({
    op: '',
    deadlineMs: undefined,
    requestId: undefined,
    retry: true,
    isRepeat: false,
    contentType,
  });
});

test('everything asked for', () => {
  const parsed = parse(
    ['Shoal-Op', 'upper'],
    ['Shoal-Deadline-Ms', '2500'],
    ['Shoal-Request-Id', 'order 17/a'],
    ['Shoal-Retry', 'no'],
    ['Shoal-Repeat', 'yes'],
    ['content-type', 'text/html; charset="utf-8"'],
  );
  const contentType = 'text/html; charset="utf-8"';
  const rest = { deadlineMs: 2500, requestId: 'order 17/a', retry: false, isRepeat: true, contentType };
  expect(parsed).toEqual({ op: 'upper', ...rest });
});

test('names in any case, and headers that are not ours', () => {
  expect(parse(['shoal-op', 'lower'], ['SHOAL-RETRY', 'yes'], ['Traceparent', '00-1'])).toMatchObject({
    op: 'lower',
    retry: true,
  });
});

describe('a value that is refused is named with its header', () => {
  test.each([
    ['Content-Type', '', '""'],
    ['Content-Type', 'a\tb', String.raw`"a\tb"`],
    ['Content-Type', 'x'.repeat(256), `"${'x'.repeat(64)}..."`],
    ['Shoal-Op', '', '""'],
    ['Shoal-Op', 'Upper', '"Upper"'],
    ['Shoal-Op', 'a b', '"a b"'],
    ['Shoal-Op', 'x'.repeat(65), `"${'x'.repeat(64)}..."`],
    ['Shoal-Deadline-Ms', '', '""'],
    ['Shoal-Deadline-Ms', '0', '"0"'],
    ['Shoal-Deadline-Ms', '-5', '"-5"'],
    ['Shoal-Deadline-Ms', '1.5', '"1.5"'],
    ['Shoal-Deadline-Ms', '1e3', '"1e3"'],
    ['Shoal-Deadline-Ms', '3600001', '"3600001"'],
    ['Shoal-Deadline-Ms', '99999999999999999999', '"99999999999999999999"'],
    ['Shoal-Request-Id', '', '""'],
    ['Shoal-Request-Id', 'caf\u00e9', '"caf\\u00e9"'],
    ['Shoal-Request-Id', 'i'.repeat(129), `"${'i'.repeat(64)}..."`],
    ['Shoal-Retry', 'false', '"false"'],
    ['Shoal-Retry', 'No', '"No"'],
  ])('%s: %j', (name, value, shown) => {
    expect(parse([name, value])).toMatch(new RegExp(`^${name}: expected .*, got `));
    expect(parse([name, value])).toContain(`got ${shown}`);
  });

  test.each([
    ['Shoal-Op', 'upper', 'lower'],
    ['Shoal-Deadline-Ms', '1', '2'],
    ['Shoal-Request-Id', 'a', 'b'],
    ['Shoal-Retry', 'yes', 'no'],
    ['Shoal-Repeat', 'no', 'yes'],
    ['Content-Type', 'a/b', 'c/d'],
  ])('%s also when it is given twice', (name, first, second) => {
    expect(parse([name, first], [name, second])).toBe(`${name}: expected one value, got 2: "${first}" and "${second}"`);
  });
});

test('the limits themselves are allowed', () => {
  expect(parse(['Shoal-Deadline-Ms', '1'])).toMatchObject({ deadlineMs: 1 });
  expect(parse(['Shoal-Deadline-Ms', '3600000'])).toMatchObject({ deadlineMs: 3_600_000 });
  expect(parse(['Shoal-Op', 'a'.repeat(64)])).toMatchObject({ op: 'a'.repeat(64) });
  expect(parse(['Shoal-Op', '._-09az'])).toMatchObject({ op: '._-09az' });
  expect(parse(['Shoal-Request-Id', '~'.repeat(128)])).toMatchObject({ requestId: '~'.repeat(128) });
});

test('whatever is sent, a complaint is one short line of printable ASCII', () => {
  const name = fc.constantFrom('Shoal-Op', 'Shoal-Deadline-Ms', 'Shoal-Request-Id', 'Shoal-Retry');
  const value = fc.string({ unit: 'binary', maxLength: 300 }).filter((text) => !/[\r\n]/.test(text));
  fc.assert(
    fc.property(name, value, (header, text) => {
      const parsed = parse([header, text]);
      if (typeof parsed === 'string') expect(parsed).toMatch(/^[\x20-\x7e]{1,600}$/);
    }),
  );
});
