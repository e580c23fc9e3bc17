import { expect, test } from 'vitest';
import { replyOf } from './http-reply.ts';

test.each([
  ['none', {}, 'text/plain; charset=utf-8'],
  ['one', { contentType: 'image/png' }, 'image/png'],
  ['what another host tells, and is none,', { contentType: 'a\r\nSet-Cookie: b' }, 'application/octet-stream'],
])('a reply with %s as its content type', (_, type, header) => {
  const outcome = { ok: true, payload: new Uint8Array(1), vm: 1, host: 'here', ...type } as const;
  expect(replyOf(outcome)).toMatchObject({ status: 200, headers: { 'Content-Type': header } });
});
