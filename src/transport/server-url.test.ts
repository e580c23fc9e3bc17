import { describe, expect, test } from 'vitest';
import { parseServerUrl, parseServerUrls } from './server-url.ts';

test.each([
  ['nats://127.0.0.1:4333', { host: '127.0.0.1', port: 4333, tls: false }],
  ['nats://example.test', { host: 'example.test', port: 4222, tls: false }],
  ['localhost:4300', { host: 'localhost', port: 4300, tls: false }],
  ['tls://example.test', { host: 'example.test', port: 4222, tls: true }],
  ['nats://[::1]:4222/', { host: '::1', port: 4222, shown: 'nats://[::1]:4222' }],
  ['nats://token@h', { user: 'token', password: undefined }],
  ['nats://me:p%40ss@h', { user: 'me', password: 'p@ss', shown: 'nats://h:4222' }],
])('%s', (text, expected) => {
  expect(parseServerUrl(text)).toMatchObject(expected);
});

describe('what is no address is refused with its value', () => {
  test.each([
    ['', 'no address'],
    ['nats://', 'no address'],
    ['http://127.0.0.1', 'the scheme "http"'],
    ['ws://127.0.0.1', 'the scheme "ws"'],
    ['nats://h:0', 'port 0'],
    ['nats://h:99999', 'no address'],
    ['nats://h:4222/fleet', 'nothing may stand after the port'],
  ])('%j', (text, why) => {
    expect(() => parseServerUrl(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining(why) }),
    );
    expect(() => parseServerUrl(text)).toThrow(JSON.stringify(text));
  });

  test('but not with its password', () => {
    expect(() => parseServerUrl('nats://me:secret@h:0')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

test('several, in a list or in one text', () => {
  const expected = [
    { host: 'a', port: 1 },
    { host: 'b', port: 4222 },
  ];
  expect(parseServerUrls('nats://a:1, nats://b')).toMatchObject(expected);
  expect(parseServerUrls(['a:1', 'b'])).toMatchObject(expected);
});

test('none, or some with other credentials, are refused', () => {
  expect(() => parseServerUrls([])).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE' }));
  expect(() => parseServerUrls(['nats://x@a', 'nats://y@b'])).toThrow(
    expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('differ') }),
  );
});
