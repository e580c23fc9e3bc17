import { expect, test } from 'vitest';
import { RequestEncoder } from './request-encoder.ts';

const decoder = new TextDecoder();

function encoded(wanted: Parameters<RequestEncoder['encode']>[0]): string {
  return decoder.decode(new RequestEncoder(30_000).encode(wanted).headers.encode());
}

test('the deadline always, all else only if it is wanted', () => {
  expect(encoded({})).toBe('NATS/1.0\r\nShoal-Deadline-Ms: 30000\r\n\r\n');
  expect(encoded({ op: 'v2.word_count', deadlineMs: 5, requestId: 'a 1', retry: false })).toBe(
    'NATS/1.0\r\nShoal-Deadline-Ms: 5\r\nShoal-Op: v2.word_count\r\nShoal-Request-Id: a 1\r\nShoal-Retry: no\r\n\r\n',
  );
  expect(encoded({ contentType: 'image/png' })).toContain('\r\nContent-Type: image/png\r\n');
});

test('equal wishes are encoded once, those with an id each for itself', () => {
  const encoder = new RequestEncoder(1_000);
  expect(encoder.encode({ op: 'upper' })).toBe(encoder.encode({ op: 'upper', deadlineMs: 1_000, retry: true }));
  expect(encoder.encode({ op: 'upper' })).not.toBe(encoder.encode({ op: 'lower' }));
  expect(encoder.encode({ op: 'upper' })).not.toBe(encoder.encode({ op: 'upper', contentType: 'a/b' }));
  expect(encoder.encode({ requestId: 'x' })).not.toBe(encoder.encode({ requestId: 'x' }));
});

test.each([
  [{ op: 'Upper' }, '"Upper"'],
  [{ op: 'a\r\nX: y' }, String.raw`"a\r\nX: y"`],
  [{ deadlineMs: 0 }, '0'],
  [{ deadlineMs: 1.5 }, '1.5'],
  [{ deadlineMs: Number.NaN }, 'NaN'],
  [{ contentType: '' }, '""'],
  [{ contentType: 'a/b\r\nX: y' }, String.raw`"a/b\r\nX: y"`],
  [{ requestId: '' }, '""'],
  [{ requestId: ' a' }, '" a"'],
  [{ requestId: 'a\nb' }, String.raw`"a\nb"`],
])('%j is refused with its value', (wanted, shown) => {
  expect(() => new RequestEncoder(1_000).encode(wanted)).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(`got ${shown}`) }),
  );
});
