import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { ConsoleRounds, type NextRound, type RoundMember } from './console-rounds.ts';

/** Notes when its turns come. */
function member(clock: ManualClock, next: () => NextRound): RoundMember & { readonly turns: number[] } {
  const turns: number[] = [];
  return {
    turns,
    round(nowMs) {
      turns.push(nowMs);
      expect(nowMs).toBe(clock.monotonic());
      return next();
    },
  };
}

const each500 = (): NextRound => ({ inMs: 500, aligned: true });

describe('the rounds of consoles', () => {
  it('wake the process once for all who rest, whenever they came', async () => {
    const clock = new ManualClock();
    const rounds = new ConsoleRounds(clock);
    const members = [member(clock, each500), member(clock, each500), member(clock, each500)];
    for (const one of members) {
      rounds.join(one);
      await clock.advance(130);
    }
    await clock.advance(3_000);
    const later = members.map(({ turns }) => turns.filter((ms) => ms > 1_000));
    expect(later[0]).toEqual([1_500, 2_000, 2_500, 3_000]);
    expect(later).toEqual([later[0], later[0], later[0]]);
    expect(clock.pending).toBe(1);
  });

  it('look at one who boots as often as it wants, and at the others no more than before', async () => {
    const clock = new ManualClock();
    const rounds = new ConsoleRounds(clock);
    const resting = member(clock, each500);
    const booting = member(clock, () => ({ inMs: 2, aligned: false }));
    rounds.join(resting);
    await clock.advance(1_100);
    const before = resting.turns.length;
    rounds.join(booting);
    await clock.advance(100);
    expect(booting.turns.length).toBeGreaterThan(45);
    expect(resting.turns.length).toBe(before);
  });

  it('stop when nobody is left, also in the midst of one', async () => {
    const clock = new ManualClock();
    const rounds = new ConsoleRounds(clock);
    const quiet = member(clock, each500);
    const leaving: RoundMember = {
      round() {
        rounds.leave(leaving);
        rounds.leave(quiet);
        return each500();
      },
    };
    rounds.join(leaving);
    rounds.join(quiet);
    await clock.advance(2_000);
    expect(quiet.turns).toEqual([]);
    expect(clock.pending).toBe(0);
    rounds.join(quiet);
    await clock.advance(2_000);
    expect(quiet.turns.length).toBeGreaterThan(2);
  });
});
