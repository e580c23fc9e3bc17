import { expect, test } from 'vitest';
import { ShoalError } from '../errors.ts';
import { decodeArgs, decodeReply, encodeArgs, encodeError, encodeReply } from './admin-codec.ts';

const BYTES_MAX = 4_096;
const bytes = (text: string) => new TextEncoder().encode(text);

test('arguments and results travel as JSON', () => {
  expect(decodeArgs(encodeArgs({ vm: 3, names: ['a'] }))).toEqual({ vm: 3, names: ['a'] });
  expect(decodeArgs(encodeArgs(undefined))).toBeNull();
  expect(decodeArgs(new Uint8Array(0))).toBeNull();
  expect(decodeReply(encodeReply('ps', [{ id: 1 }], BYTES_MAX))).toEqual([{ id: 1 }]);
  expect(decodeReply(encodeReply('drain', undefined, BYTES_MAX))).toBeNull();
});

test('an error arrives with its code, its details and its cause', () => {
  const cause = new ShoalError('QMP_TIMEOUT', 'no answer');
  const error = new ShoalError('VM_UNKNOWN', 'No VM has the id 9', { cause, details: { vm: 9 } });
  expect(() => decodeReply(encodeError(error, BYTES_MAX))).toThrow(
    expect.objectContaining({
      code: 'VM_UNKNOWN',
      message: 'No VM has the id 9',
      details: { vm: 9 },
      cause: expect.objectContaining({ code: 'QMP_TIMEOUT' }),
    }),
  );
});

test('what is too large for the server arrives as an error that says so', () => {
  expect(() => decodeReply(encodeReply('logs', 'x'.repeat(BYTES_MAX), BYTES_MAX))).toThrow(
    expect.objectContaining({
      code: 'REQUEST_TOO_LARGE',
      message: expect.stringMatching(/"logs" has \d+ bytes.*4096/),
    }),
  );
});

test('an error that is too large is cut', () => {
  const huge = new ShoalError('INTERNAL', 'm'.repeat(1_000_000), { cause: new Error('c'.repeat(1_000_000)) });
  const encoded = encodeError(huge, BYTES_MAX);
  expect(encoded.length).toBeLessThanOrEqual(BYTES_MAX);
  expect(() => decodeReply(encoded)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test.each(['', 'text', '[]', '{}', '{"ok":false}', '{"ok":false,"error":{"name":1}}'])('%j is no reply', (text) => {
  expect(() => decodeReply(bytes(text))).toThrow(expect.objectContaining({ code: 'NATS_MESSAGE_INVALID' }));
});

test('arguments that are no JSON, or no UTF-8, are refused', () => {
  const invalid = expect.objectContaining({ code: 'NATS_MESSAGE_INVALID' });
  expect(() => decodeArgs(bytes('{'))).toThrow(invalid);
  expect(() => decodeArgs(Uint8Array.of(0xff))).toThrow(invalid);
});
