import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplyTokens, TOKEN_BYTES_MAX, TOKEN_KEY_BYTES } from './reply-token.ts';

const key = new Uint8Array(TOKEN_KEY_BYTES).fill(7);
const subject = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).filter((text) => text.isWellFormed());
const requestId = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 128 });

test('a token says where its reply goes to, or is empty if that does not fit', () => {
  const tokens = new ReplyTokens(key);
  fc.assert(
    fc.property(subject, requestId, (to, id) => {
      const token = tokens.seal(to, id);
      expect(token.length).toBeLessThanOrEqual(TOKEN_BYTES_MAX);
      const fits = 9 + Buffer.byteLength(to) + id.length <= TOKEN_BYTES_MAX;
      expect(tokens.open(token)).toEqual(fits ? { subject: to, requestId: id } : undefined);
    }),
  );
});

test('a token has 256 bytes at the most', () => {
  const tokens = new ReplyTokens(key);
  const id = 'x'.repeat(100);
  expect(tokens.seal('s'.repeat(256 - 9 - id.length), id)).toHaveLength(256);
  expect(tokens.seal('s'.repeat(256 - 9 - id.length + 1), id)).toHaveLength(0);
});

test('of a place that clients share, the token tells texts and operations under one id apart, and repeats not', () => {
  const tokens = new ReplyTokens(key);
  const request = { requestId: 'id', op: 'upper', payload: Buffer.from('a') };
  const others = [
    { payload: Buffer.from('b') },
    { op: 'lower' },
    { op: 'upper\0', payload: Buffer.from('') },
    { requestId: 'di' },
    { contentType: 'a/b' },
  ];
  const sealed = [{}, ...others].map((other) =>
    Buffer.from(tokens.sealAt('shared', { ...request, ...other })).toString('hex'),
  );
  expect(new Set(sealed).size).toBe(6);
  expect(sealed[0]).toBe(Buffer.from(tokens.sealAt('shared', request)).toString('hex'));
  expect(tokens.open(tokens.sealAt('shared', request))).toMatchObject({
    requestId: 'id',
    subject: expect.stringMatching(/^shared\./),
  });
});

test('who comes after us with the same key can read it', () => {
  const token = new ReplyTokens(key).seal('_INBOX.a.1', 'id');
  expect(new ReplyTokens(Uint8Array.from(key)).open(token)).toEqual({ subject: '_INBOX.a.1', requestId: 'id' });
});

test('a token of another key, a changed one and a made-up one are none', () => {
  const tokens = new ReplyTokens(key);
  const token = tokens.seal('_INBOX.a.1', 'id');
  expect(new ReplyTokens(new Uint8Array(TOKEN_KEY_BYTES)).open(token)).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Uint8Array.from(token);
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(tokens.open(changed)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(tokens.open(bytes)).toBeUndefined();
    }),
  );
});

test('a key of another length is refused', () => {
  expect(() => new ReplyTokens(new Uint8Array(3))).toThrow('got 3');
});
