import { describe, expect, it } from 'vitest';
import { LinkedList } from '../../actors/mod.ts';
import type { Outcome, Request } from '../values/request.ts';
import { type OpenRequest, openRequest } from './open-request.ts';
import { fingerprintOf, ReplyCache } from './reply-cache.ts';

function request(requestId: string): Request {
  return {
    requestId,
    op: '',
    payload: new Uint8Array(1),
    deadlineMs: 1_000,
    retry: true,
    token: new Uint8Array(0),
    replyTo: { path: 'client', tell: () => true },
  };
}

const reply = (bytes: number): Outcome => ({ ok: true, payload: new Uint8Array(bytes), vm: 1, host: 'here' });

describe('the reply cache', () => {
  it('is bounded by number: the oldest is forgotten', () => {
    const cache = new ReplyCache({ repliesMax: 3, bytesMax: 1e6 });
    for (const id of ['a', 'b', 'c', 'd']) cache.ended(request(id), reply(10), 0, 1_000);
    expect(['a', 'b', 'c', 'd'].map((id) => cache.find(request(id), 0)?.kind)).toEqual([
      undefined,
      'ended',
      'ended',
      'ended',
    ]);
  });

  it('is bounded by bytes, and takes nothing that is larger than all of it', () => {
    const cache = new ReplyCache({ repliesMax: 100, bytesMax: 2_500 });
    for (const id of ['a', 'b', 'c']) cache.ended(request(id), reply(1_000), 0, 1_000);
    cache.ended(request('huge'), reply(10_000), 0, 1_000);
    expect([cache.size, cache.bytes <= 2_500]).toEqual([2, true]);
  });

  it('does not keep all that a link has read for the sake of a small reply', () => {
    const cache = new ReplyCache();
    const read = new Uint8Array(1_000_000);
    cache.ended(request('a'), { ok: true, payload: read.subarray(10, 20), vm: 1, host: 'here' }, 0, 1_000);
    const known = cache.find(request('a'), 0);
    const kept = known?.kind === 'ended' && known.outcome.ok ? known.outcome.payload : undefined;
    expect(kept?.buffer.byteLength).toBe(10);
  });

  it('forgets after dedup_ms, and keeps nothing for 0 or for an id that was made', () => {
    const cache = new ReplyCache();
    cache.ended(request('a'), reply(1), 0, 100);
    cache.ended(request('b'), reply(1), 0, 0);
    cache.ended({ ...request('c'), isIdGenerated: true }, reply(1), 0, 100);
    expect([cache.size, cache.find(request('a'), 99)?.kind]).toEqual([1, 'ended']);
    expect(cache.find(request('a'), 100)).toBeUndefined();
    cache.expire(100);
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it.each([
    ['another operation', { op: 'lower' }],
    ['another text', { payload: Uint8Array.of(1) }],
    ['a longer text', { payload: new Uint8Array(2) }],
  ])('gives nobody a stored reply for %s', (_what, other) => {
    const cache = new ReplyCache();
    cache.ended(request('a'), reply(1), 0, 100);
    expect([cache.find(request('a'), 1)?.kind, cache.find({ ...request('a'), ...other }, 1)?.kind]).toEqual([
      'ended',
      'other',
    ]);
  });

  it('tells long texts apart by all of their bytes', () => {
    const cache = new ReplyCache();
    const [text, other] = [new Uint8Array(1_000), new Uint8Array(1_000).fill(1, 999)];
    cache.ended({ ...request('a'), payload: text }, reply(1), 0, 100);
    expect(cache.find({ ...request('a'), payload: text.slice() }, 1)?.kind).toBe('ended');
    expect(cache.find({ ...request('a'), payload: other }, 1)?.kind).toBe('other');
  });

  it.each([
    ['is not kept', 499, undefined],
    ['is not kept', 503, undefined],
    ['is not kept', 504, undefined],
    ['is kept', 400, 'ended'],
    ['is kept', 502, 'ended'],
  ] as const)('%s: an end with %i', (_what, status, kind) => {
    const cache = new ReplyCache();
    cache.ended(request('a'), { ok: false, status, reason: 'vm-lost', message: 'no' }, 0, 100);
    expect(cache.find(request('a'), 1)?.kind).toBe(kind);
  });

  it('keeps the newer reply of an id for its whole time, and the older no longer', () => {
    const cache = new ReplyCache();
    cache.ended(request('a'), reply(1_000), 0, 100);
    cache.ended(request('a'), reply(1), 50, 100);
    expect([cache.size, cache.bytes < 1_000]).toEqual([1, true]);
    cache.expire(100);
    expect(cache.find(request('a'), 149)?.kind).toBe('ended');
  });
});

describe('an id', () => {
  const text = (words: string) => new TextEncoder().encode(words);
  const long = (last: string) => text(`${'x'.repeat(100)}${last}`);
  const other = { ...request('a'), payload: Uint8Array.of(9) };

  it('stands for one text while its request is open, and after its end', () => {
    const cache = new ReplyCache();
    const open = openRequest(request('a'));
    cache.opened(open);
    expect([cache.find(request('a'), 0)?.kind, cache.find(other, 0)?.kind]).toEqual(['open', 'other']);
    cache.closed(open);
    cache.ended(request('a'), reply(1), 0, 1_000);
    expect([cache.find(request('a'), 0)?.kind, cache.find(other, 0)?.kind]).toEqual(['ended', 'other']);
  });

  it('stands for one operation after its end', () => {
    const cache = new ReplyCache();
    cache.ended({ ...request('a'), op: 'upper' }, reply(1), 0, 1_000);
    expect(cache.find({ ...request('a'), op: 'lower' }, 0)?.kind).toBe('other');
  });

  it('counts the bytes of content types, too', () => {
    const bytesWith = (contentType: string): number => {
      const cache = new ReplyCache();
      const outcome: Outcome = { ok: true, payload: new Uint8Array(1), vm: 1, host: 'here', contentType };
      cache.ended({ ...request('a'), contentType }, outcome, 0, 1_000);
      return cache.bytes;
    };
    expect(bytesWith('a/bcd') - bytesWith('a/b')).toBe(4);
  });

  it('stands for one content type, and a stored reply has its own', () => {
    const cache = new ReplyCache();
    const png = { ...request('a'), contentType: 'image/png' };
    const open = openRequest(png);
    cache.opened(open);
    expect([cache.find(png, 0)?.kind, cache.find(request('a'), 0)?.kind]).toEqual(['open', 'other']);
    cache.closed(open);
    const outcome = { ...reply(1), contentType: 'image/gif' } as const;
    cache.ended(png, outcome, 0, 1_000);
    expect(cache.find(png, 0)).toMatchObject({ kind: 'ended', outcome: { contentType: 'image/gif' } });
    expect(cache.find({ ...png, contentType: 'image/gif' }, 0)?.kind).toBe('other');
    expect(cache.find(request('a'), 0)?.kind).toBe('other');
    cache.orphaned(png);
    expect([cache.orphanOf(png), cache.orphanOf(request('a'))]).toEqual(['same', 'other']);
  });

  it('tells long texts apart at their very end', () => {
    const cache = new ReplyCache();
    cache.ended({ ...request('a'), payload: long('1') }, reply(1), 0, 1_000);
    expect(cache.find({ ...request('a'), payload: long('1') }, 0)?.kind).toBe('ended');
    expect(cache.find({ ...request('a'), payload: long('2') }, 0)?.kind).toBe('other');
  });

  it.each([499, 503, 504] as const)('that ended with %s is new when it comes again', (status) => {
    const cache = new ReplyCache();
    cache.ended(request('a'), { ok: false, status, reason: 'vm-lost', message: 'for a moment' }, 0, 1_000);
    expect(cache.find(request('a'), 0)).toBeUndefined();
  });

  it('that ends again has the newer reply, and the older takes no memory', () => {
    const cache = new ReplyCache();
    cache.ended(request('a'), reply(1_000), 0, 1_000);
    cache.ended(request('a'), reply(10), 500, 1_000);
    expect([cache.size, cache.bytes < 500]).toEqual([1, true]);
    cache.expire(1_200);
    expect(cache.find(request('a'), 1_200)).toMatchObject({ outcome: { payload: new Uint8Array(10) } });
  });
});

/** Longer than what the cache keeps of a text as it is. */
const LONG = 'x'.repeat(1_000);

it('the ends whose reply a guest may still keep are bounded: the oldest is forgotten, and one that comes again is young', () => {
  const cache = new ReplyCache();
  for (let count = 0; count < 10_000; count++) cache.orphaned(request(`r${count}`));
  cache.orphaned(request('r0'));
  cache.orphaned(request('one more'));
  expect(['r0', 'r1', 'r2', 'one more'].map((id) => cache.orphanOf(request(id)))).toEqual([
    'same',
    'unknown',
    'same',
    'same',
  ]);
});

describe('a request id stands for one text and one operation', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['ab', 'ba'],
    [`${LONG}a`, `${LONG}b`],
    ['ab', 'abc'],
  ];

  it.each(texts)('while its request is open', (one, other) => {
    const cache = new ReplyCache();
    cache.opened(openRequest(ofText('upper', one)));
    expect(kindsIn(cache, one, other)).toEqual(['open', 'other', 'other']);
  });

  it.each(texts)('while its reply is stored', (one, other) => {
    const cache = new ReplyCache();
    const reply = { ok: true, payload: new Uint8Array(1), vm: 1, host: 'here' } as const;
    cache.ended(ofText('upper', one), reply, 0, 1_000);
    expect(kindsIn(cache, one, other)).toEqual(['ended', 'other', 'other']);
  });

  it.each(texts)('for repeats that came to another host, too', (one, other) => {
    const open = openRequest(ofText('upper', one));
    open.place = new LinkedList<OpenRequest>().push(open);
    const cache = new ReplyCache();
    cache.opened(open);
    expect(knowledgeIn(cache, one, other)).toEqual(['here', 'nothing', 'nothing']);
    cache.closed(open);
    cache.ended(open.request, { ok: true, payload: new Uint8Array(1), vm: 1, host: 'here' }, 0, 1_000);
    expect(knowledgeIn(cache, one, other)).toEqual(['ended', 'nothing', 'nothing']);
  });
});

/** What the cache knows of the same request, of another text, and of another operation. */
function kindsIn(cache: ReplyCache, one: string, other: string): (string | undefined)[] {
  return repeatsOf(one, other).map((repeat) => cache.find(repeat, 0)?.kind);
}

function knowledgeIn(cache: ReplyCache, one: string, other: string): string[] {
  return repeatsOf(one, other).map(({ requestId, op, payload }) =>
    cache.knows({ requestId, op, payloadBytes: payload.length, fingerprint: fingerprintOf(payload) }, 0),
  );
}

function repeatsOf(one: string, other: string): Request[] {
  return [ofText('upper', one), ofText('upper', other), ofText('lower', one)];
}

function ofText(op: string, text: string): Request {
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
