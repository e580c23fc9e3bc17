import { describe, expect, it } from 'vitest';
import { heard, isHung, look, type Pulse } from './heartbeat.ts';

const LIMITS = { beatMs: 250, hangMs: 2_000 };

/** Looks every 250 ms from `fromMs` on, so many times. */
function looks(pulse: Pulse, times: number, fromMs = pulse.lookedMs): Pulse {
  let seen = pulse;
  for (let n = 1; n <= times; n++) seen = look(seen, fromMs + n * 250, LIMITS);
  return seen;
}

const NEW: Pulse = { silentMs: 0, lookedMs: 0 };

describe('a heartbeat', () => {
  it('that is missing for so long is the end', () => {
    expect(isHung(looks(NEW, 7), LIMITS)).toBe(false);
    expect(isHung(looks(NEW, 8), LIMITS)).toBe(true);
  });

  it('that is heard starts the count anew', () => {
    const before = looks(NEW, 7);
    const pulse = looks(heard(before.lookedMs + 250), 7);
    expect(isHung(pulse, LIMITS)).toBe(false);
    expect(isHung(looks(pulse, 1), LIMITS)).toBe(true);
  });

  it('is not missed for a time in which we stood still ourselves', () => {
    const before = looks(NEW, 3);
    const after = look(before, before.lookedMs + 3_600_000, LIMITS);
    expect(isHung(after, LIMITS)).toBe(false);
    // It has not come back with us.
    expect(isHung(looks(after, 4), LIMITS)).toBe(true);
  });

  it('is missed also by one whose looks are always late', () => {
    let pulse = NEW;
    let looked = 0;
    while (!isHung(pulse, LIMITS) && looked < 100) {
      looked += 1;
      pulse = look(pulse, looked * 2_000, LIMITS);
    }
    expect(looked).toBeLessThanOrEqual(8);
  });
});
