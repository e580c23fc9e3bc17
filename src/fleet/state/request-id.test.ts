import { describe, expect, it } from 'vitest';
import type { Request } from '../values/request.ts';
import { openRequest } from './open-request.ts';
import { ReplyCache } from './reply-cache.ts';

/** Longer than what the cache keeps of a text as it is. */
const LONG = 'x'.repeat(1_000);

describe('a request id stands for one text and one operation', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['ab', 'ba'],
    [`${LONG}a`, `${LONG}b`],
    ['ab', 'abc'],
  ];

  it.each(texts)('while its request is open', (one, other) => {
    const cache = new ReplyCache();
    cache.opened(openRequest(request('upper', one)));
    expect(kindsIn(cache, one, other)).toEqual(['open', 'other', 'other']);
  });

  it.each(texts)('while its reply is stored', (one, other) => {
    const cache = new ReplyCache();
    const reply = { ok: true, payload: new Uint8Array(1), vm: 1, host: 'here' } as const;
    cache.ended(request('upper', one), reply, 0, 1_000);
    expect(kindsIn(cache, one, other)).toEqual(['ended', 'other', 'other']);
  });
});

/** What the cache knows of the same request, of another text, and of another operation. */
function kindsIn(cache: ReplyCache, one: string, other: string): (string | undefined)[] {
  const repeats = [request('upper', one), request('upper', other), request('lower', one)];
  return repeats.map((repeat) => cache.find(repeat, 0)?.kind);
}

function request(op: string, text: string): Request {
  return {
    requestId: 'id',
    op,
    payload: Buffer.from(text),
    deadlineMs: 1_000,
    retry: true,
    token: new Uint8Array(0),
    replyTo: { path: 'client', tell: () => true },
  };
}
