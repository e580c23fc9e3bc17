import { describe, expect, it } from 'vitest';
import { heard, isHung, type Pulse, silent } from './heartbeat.ts';

const LIMITS = { beatMs: 250, hangMs: 2_000 };

/** Checks a silent shard so many times, every 250 ms from `fromMs` on. */
function checks(pulse: Pulse, times: number, fromMs = pulse.checkedMs): Pulse {
  let seen = pulse;
  for (let n = 1; n <= times; n++) seen = silent(seen, fromMs + n * 250, LIMITS);
  return seen;
}

const NEW: Pulse = { silentMs: 0, checkedMs: 0 };

describe('a heartbeat', () => {
  it('that is missing for the limit means that the shard hangs', () => {
    expect(isHung(checks(NEW, 7), LIMITS)).toBe(false);
    expect(isHung(checks(NEW, 8), LIMITS)).toBe(true);
  });

  it('that is heard starts the count again', () => {
    const before = checks(NEW, 7);
    const pulse = checks(heard(before.checkedMs + 250), 7);
    expect(isHung(pulse, LIMITS)).toBe(false);
    expect(isHung(checks(pulse, 1), LIMITS)).toBe(true);
  });

  it('is not missed while this process itself stood still', () => {
    const before = checks(NEW, 3);
    const after = silent(before, before.checkedMs + 3_600_000, LIMITS);
    expect(isHung(after, LIMITS)).toBe(false);
    // The shard has not come back.
    expect(isHung(checks(after, 4), LIMITS)).toBe(true);
  });

  it('is missed even if every check is late', () => {
    let pulse = NEW;
    let count = 0;
    while (!isHung(pulse, LIMITS) && count < 100) {
      count += 1;
      pulse = silent(pulse, count * 2_000, LIMITS);
    }
    expect(count).toBeLessThanOrEqual(8);
  });
});
