import { expect, test } from 'vitest';
import { httpAddress } from './http-address.ts';

test.each([
  ['8080', { host: '127.0.0.1', port: 8080 }],
  ['0', { host: '127.0.0.1', port: 0 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
])('%s is an address', (text, address) => {
  expect(httpAddress(text)).toEqual(address);
});

test.each([
  '',
  'x',
  '70000',
  '-1',
  '1.2.3:80',
  '::1:80',
  '[127.0.0.1]:80',
  'example.org:80',
  ':80',
  '80:',
  '127.0.0.1',
])('%j is none, and the error says what is expected', (text) => {
  expect(() => httpAddress(text)).toThrow(`got ${JSON.stringify(text)}`);
});
