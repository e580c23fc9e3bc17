import { describe, expect, it } from 'vitest';
import { ReplyMemory } from './reply-memory.ts';
import type { Outcome, Request } from './request.ts';

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

describe('the memory of replies', () => {
  it('is bounded by number: the oldest is forgotten', () => {
    const memory = new ReplyMemory({ repliesMax: 3, bytesMax: 1e6 });
    for (const id of ['a', 'b', 'c', 'd']) memory.ended(request(id), reply(10), 0, 1_000);
    expect(['a', 'b', 'c', 'd'].map((id) => memory.find(request(id), 0)?.kind)).toEqual([
      undefined,
      'ended',
      'ended',
      'ended',
    ]);
  });

  it('is bounded by bytes, and takes nothing that is larger than all of it', () => {
    const memory = new ReplyMemory({ repliesMax: 100, bytesMax: 2_500 });
    for (const id of ['a', 'b', 'c']) memory.ended(request(id), reply(1_000), 0, 1_000);
    memory.ended(request('huge'), reply(10_000), 0, 1_000);
    expect([memory.size, memory.bytes <= 2_500]).toEqual([2, true]);
  });

  it('does not keep all that a link has read for the sake of a small reply', () => {
    const memory = new ReplyMemory();
    const read = new Uint8Array(1_000_000);
    memory.ended(request('a'), { ok: true, payload: read.subarray(10, 20), vm: 1, host: 'here' }, 0, 1_000);
    const known = memory.find(request('a'), 0);
    const kept = known?.kind === 'ended' && known.outcome.ok ? known.outcome.payload : undefined;
    expect(kept?.buffer.byteLength).toBe(10);
  });

  it('forgets after dedup_ms, and keeps nothing for 0 or for an id that was made', () => {
    const memory = new ReplyMemory();
    memory.ended(request('a'), reply(1), 0, 100);
    memory.ended(request('b'), reply(1), 0, 0);
    memory.ended({ ...request('c'), isIdGenerated: true }, reply(1), 0, 100);
    expect([memory.size, memory.find(request('a'), 99)?.kind]).toEqual([1, 'ended']);
    expect(memory.find(request('a'), 100)).toBeUndefined();
    memory.expire(100);
    expect([memory.size, memory.bytes]).toEqual([0, 0]);
  });
});
