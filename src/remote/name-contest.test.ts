import { describe, expect, it } from 'vitest';
import { NameContest } from './name-contest.ts';

function contest(latecomersMax = 10): NameContest {
  return new NameContest({ incarnation: 'm', about: '', group: 'g', latecomersMax });
}

const other = (incarnation: string, about = '') => ({ incarnation, about });
const aged = (incarnation: string, ageMs: number) => ({ ...other(incarnation), ageMs });
const told = (one: NameContest, host: string): string[] => one.news(host).map(({ incarnation }) => incarnation);

describe('of two hosts of one name', () => {
  it('the older one is the first, whatever its incarnation', () => {
    const one = contest();
    expect([one.isFirst(2, aged('a', 1)), one.isFirst(1, aged('z', 2))]).toEqual([true, false]);
  });

  it('the lower incarnation is the first if both are of one age', () => {
    const one = contest();
    expect([one.isFirst(1, aged('z', 1)), one.isFirst(1, aged('a', 1))]).toEqual([true, false]);
  });

  it('the one that has refused the other stays with it', () => {
    const one = contest();
    expect(one.hasRefused('z')).toBe(false);
    one.came('b', other('z'));
    expect(one.hasRefused('z')).toBe(true);
  });

  it('the lower incarnation keeps the name if each has refused the other, and none does without that', () => {
    const one = contest();
    one.came('b', other('a'));
    one.came('b', other('z'));
    expect(['a', 'z', 'zz'].map((incarnation) => one.keepsAgainst(incarnation))).toEqual([false, true, false]);
  });
});

describe('hosts that came second', () => {
  it('are told of once each, with their name', () => {
    const one = contest();
    one.came('b', other('x'));
    one.came('c', other('y'));
    expect([told(one, 'b'), told(one, 'b'), told(one, 'c')]).toEqual([['x'], [], ['y']]);
    one.came('b', other('x'));
    expect(told(one, 'b')).toEqual([]);
  });

  it('are forgotten beyond a limit: first the one that was not heard for longest', () => {
    const one = contest(2);
    for (const incarnation of ['x', 'y', 'x', 'z']) one.came('b', other(incarnation));
    expect(['x', 'y', 'z'].map((incarnation) => one.hasRefused(incarnation))).toEqual([true, false, true]);
  });

  it('are forgotten when another host has the name', () => {
    const one = contest();
    one.came('b', other('x'));
    one.came('c', other('y'));
    one.taken('b');
    expect([told(one, 'b'), told(one, 'c')]).toEqual([[], ['y']]);
  });

  it('are refused with both, as far as they say what they are', () => {
    const { message } = contest().refusal('b', other('x', 'machine 1'), other('y'));
    expect(message).toContain('incarnation x, machine 1, came first; incarnation y, is refused');
  });
});
