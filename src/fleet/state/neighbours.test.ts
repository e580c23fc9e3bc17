import { describe, expect, it } from 'vitest';
import type { HostFigures } from '../values/neighbour.ts';
import { NeighbourRecord } from './neighbour.ts';
import { Neighbours } from './neighbours.ts';

const NOTHING: HostFigures = {
  free: 0,
  room: 0,
  starting: 0,
  shortestQueue: null,
  waiting: 0,
  cordoned: false,
  idempotent: true,
};

/** Neighbours that have told these figures. */
function told(hosts: Readonly<Record<string, Partial<HostFigures>>>, requestsPerVm = 1): Neighbours {
  const neighbours = new Neighbours('here');
  for (const [host, figures] of Object.entries(hosts)) {
    neighbours.up(host, `${host} 1`, 0, requestsPerVm);
    neighbours.told(host, { ...NOTHING, ...figures }, 0, 0, requestsPerVm);
  }
  return neighbours;
}

describe('what a neighbour can take', () => {
  const withUnseen = (figures: Partial<HostFigures>, unseen: number): NeighbourRecord => {
    const record = new NeighbourRecord('b', 'b 1', 0);
    record.told({ ...NOTHING, ...figures }, 0, 0);
    for (let frame = 1; frame <= unseen; frame++) record.handed(frame);
    return record;
  };

  it('is less by what it has not seen yet: of its free slots first, then of its room, by the VM', () => {
    const roomAfter = (unseen: number): readonly [number, number] => {
      const record = withUnseen({ free: 2, room: 3 }, unseen);
      return [record.free, record.roomFor(4)];
    };
    expect([0, 1, 2, 3, 6, 7, 14, 20].map(roomAfter)).toEqual([
      [2, 3],
      [1, 3],
      [0, 3],
      [0, 2],
      [0, 2],
      [0, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  it('is a longer queue by what it has not seen yet, and the shorter queue is the better one', () => {
    expect(withUnseen({ shortestQueue: 1 }, 2).shortestQueue).toBe(3);
    const worth = (shortestQueue: number): number =>
      withUnseen({ shortestQueue }, 0).worthFor('queue', 1) ?? Number.NaN;
    expect(worth(1)).toBeGreaterThan(worth(2));
  });

  it('is nothing once it is lost', () => {
    const record = withUnseen({ free: 1, room: 1, shortestQueue: 0 }, 0);
    record.lostMs = 5;
    expect([record.free, record.roomFor(1), record.shortestQueue]).toEqual([0, 0, undefined]);
  });

  it('is counted: what was handed on, and what came back', () => {
    const neighbours = told({ b: { free: 9 } });
    for (const frame of [1, 2, 3]) neighbours.handed('b', frame);
    neighbours.refused('b');
    expect(neighbours.get('b')).toMatchObject({ handedOn: 3, handedBack: 1 });
  });
});

describe('of two neighbours', () => {
  it.each(['free', 'room'] as const)('the one with more is chosen: %s', (what) => {
    for (const [b, c, better] of [[1, 2, 'c'] as const, [2, 1, 'b'] as const]) {
      expect(told({ b: { [what]: b }, c: { [what]: c } }).better(what, [])?.name).toBe(better);
    }
  });

  it('the one that has not refused is chosen, however many have', () => {
    const hosts = ['b', 'c', 'd', 'e', 'f'];
    const neighbours = told(Object.fromEntries(hosts.map((host) => [host, { free: 9 }])));
    for (const left of hosts) {
      const refusedBy = hosts.filter((host) => host !== left).map((host) => ({ host, tellings: 1 }));
      expect(neighbours.better('free', refusedBy)?.name).toBe(left);
    }
  });

  it('none is asked twice, and a burst goes to many', () => {
    const hosts = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`h${at}`, { free: 100 }]));
    const neighbours = told(hosts);
    const chosen = new Set<string>();
    for (let frame = 1; frame <= 40; frame++) {
      const name = neighbours.better('free', [])?.name ?? '';
      neighbours.handed(name, frame);
      chosen.add(name);
    }
    expect(chosen.size).toBeGreaterThan(5);
  });
});

describe('a neighbour', () => {
  it('is there once', () => {
    const neighbours = told({ b: { free: 1 } });
    expect(neighbours.up('b', 'b 2', 1, 1)).toBe(false);
    expect(neighbours.get('b')).toMatchObject({ session: 'b 1', figures: { free: 1 } });
  });

  it('that is lost is there no more, and what it had stays with it until it is forgotten', () => {
    const neighbours = told({ b: { free: 1 } });
    const lost = neighbours.get('b');
    expect(neighbours.lose('b', 'its link broke', true, 7)).toBe(true);
    expect([neighbours.size, neighbours.get('b'), neighbours.have('free')]).toEqual([0, undefined, false]);
    expect([...neighbours.lost]).toEqual([lost]);
    expect(lost).toMatchObject({ lostMs: 7, lostWhy: 'its link broke', isThere: true });
    if (lost !== undefined) expect([neighbours.forget(lost), neighbours.forget(lost)]).toEqual([true, false]);
    expect(neighbours.lostCount).toBe(0);
  });

  it('that is back is the same one, and takes requests again', () => {
    const neighbours = told({ b: { free: 1 } });
    const before = neighbours.get('b');
    neighbours.lose('b', 'its link broke', false, 7);
    neighbours.up('b', 'b 1', 9, 1);
    expect(neighbours.get('b')).toBe(before);
    expect([neighbours.lostCount, neighbours.have('free')]).toEqual([0, true]);
    expect(before).toMatchObject({ lostMs: undefined, heardMs: 9 });
  });

  it('whose router was restarted is another one: what the former had is still lost', () => {
    const neighbours = told({ b: { free: 1 } });
    const before = neighbours.get('b');
    neighbours.lose('b', 'its link broke', false, 7);
    neighbours.up('b', 'b 2', 9, 1);
    expect(neighbours.get('b')).not.toBe(before);
    expect([...neighbours.lost]).toEqual([before]);
  });

  it('of another name is another one, whatever its session is', () => {
    const neighbours = new Neighbours('here');
    neighbours.up('b', 'same', 0, 1);
    neighbours.lose('b', 'x', false, 1);
    neighbours.up('c', 'same', 2, 1);
    expect(neighbours.get('c')?.name).toBe('c');
  });
});
