import { expect, test } from 'vitest';
import { errorHeaders, ReplyHeaders } from './reply-headers.ts';

const decoder = new TextDecoder();

test('the headers of a VM are made once, and anew if it answers from another host', () => {
  const headers = new ReplyHeaders();
  const first = headers.of(4, 'alpha');
  expect(decoder.decode(first.encode())).toBe('NATS/1.0\r\nShoal-Vm: 4\r\nShoal-Host: alpha\r\n\r\n');
  expect(headers.of(4, 'alpha')).toBe(first);
  expect(decoder.decode(headers.of(4, 'beta').encode())).toContain('Shoal-Host: beta');
});

test('a reply of bytes says what they are, and what is no content type writes no header', () => {
  const headers = new ReplyHeaders();
  const first = headers.of(4, 'alpha', 'image/png');
  expect(decoder.decode(first.encode())).toContain('\r\nContent-Type: image/png\r\n');
  expect(headers.of(4, 'alpha', 'image/png')).toBe(first);
  expect(decoder.decode(headers.of(4, 'alpha').encode())).not.toContain('Content-Type');
  const forged = decoder.decode(headers.of(4, 'alpha', 'a/b\r\nNats-Service-Error-Code: 500').encode());
  expect(forged).toBe('NATS/1.0\r\nShoal-Vm: 4\r\nShoal-Host: alpha\r\n\r\n');
});

test('any number of VMs over time', () => {
  const headers = new ReplyHeaders();
  for (let vm = 0; vm < 5_000; vm++) headers.of(vm, 'alpha');
  expect(decoder.decode(headers.of(0, 'alpha').encode())).toContain('Shoal-Vm: 0\r\n');
});

const FAILED = { status: 502, reason: 'vm-lost' } as const;

test('an error cannot write headers of its own', () => {
  const text = decoder.decode(
    errorHeaders({ ...FAILED, message: 'it broke\r\nShoal-Vm: 9', vm: 4, host: 'a\nb' }).encode(),
  );
  expect(text).toBe(
    'NATS/1.0\r\nNats-Service-Error: it broke\\u000d Shoal-Vm: 9\r\nNats-Service-Error-Code: 502\r\nShoal-Reason: vm-lost\r\nShoal-Vm: 4\r\nShoal-Host: a b\r\n\r\n',
  );
  expect(errorHeaders({ ...FAILED, message: 'x'.repeat(100_000) }).byteLength).toBeLessThan(2_000);
});
