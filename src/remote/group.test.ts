import { describe, expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { FakeGroup } from './testing/fixture.ts';

describe('hosts of one group', () => {
  it('are no more than `hostsMax`; one that has left, or was silent for ten times the limit, makes room', async () => {
    const group = new FakeGroup();
    const [a, b] = [group.host('a', { hostsMax: 1 }), group.host('b')];
    await group.settle();
    const c = group.host('c');
    await group.advance(1_000);
    expect(a.hosts.peers().map(({ host }) => host)).toEqual(['b']);
    expect(a.events.at(-1)).toMatchObject({ kind: 'host-ignored', why: expect.stringContaining('more than 1 other') });
    b.hosts.leave();
    await group.advance(1_000);
    expect(a.hosts.peers().map(({ host }) => host)).toEqual(['c']);
    c.kill();
    const d = group.host('d');
    await group.advance(29_000);
    expect(a.hosts.peers()).toEqual([]);
    await group.advance(3_000);
    expect(a.hosts.peers()).toMatchObject([{ host: 'd', incarnation: d.hosts.incarnation }]);
  });

  it('may count each other as lost after two beats, and no sooner', () => {
    const [beatMs, lostMs] = [1_000, 2_000];
    expect(() => new FakeGroup().host('a', { beatMs, lostMs })).not.toThrow();
    expect(() => new FakeGroup().host('a', { beatMs, lostMs: lostMs - 1 })).toThrow('at least twice');
  });

  it('take no refusal of another name for their own', async () => {
    const group = new FakeGroup();
    const a = group.host('a');
    const refusal = { kind: 'refuse', host: 'b', from: 'f'.repeat(16), about: '' } as const;
    group.network.inject(`test.hosts.to.${a.hosts.incarnation}`, encodeFrame(refusal));
    await group.settle();
    expect([a.hosts.ended, a.hosts.stats().damaged]).toEqual([undefined, 0]);
  });
});
