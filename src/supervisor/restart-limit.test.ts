import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import { start, taken, worker } from './testing/worker.ts';

const PERIOD_MS = 1_000;
const restartLimit = { intensity: 2, periodMs: PERIOD_MS };

describe('a child with a limit of its own', () => {
  it('is restarted up to it, whatever the intensity of its supervisor', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const [a, b] = [worker(log, 'a', { restartLimit }), worker(log, 'b', { restartLimit })];
    await start(kit, { intensity: 0, children: [a.spec, b.spec] });
    for (const one of [a, b, a, b]) {
      one.tell('crash');
      await kit.settle();
    }
    expect(taken(log)).toBe('+a +b -a +a -b +b -a +a -b +b');
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a -b');
    expect(kit.failures.at(-1)?.error.code).toBe('SUPERVISOR_INTENSITY');
  });

  it('counts one beyond it as one against its supervisor, and begins to count anew', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { restartLimit });
    await start(kit, { intensity: 1, children: [a.spec] });
    // Two of its own, one of the supervisor's, and two of its own again.
    for (let crashes = 1; crashes <= 5; crashes++) {
      a.tell('crash');
      await kit.settle();
    }
    expect(taken(log)).toBe(`+a${' -a +a'.repeat(5)}`);
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a');
  });

  it('counts over its own period only', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { restartLimit });
    await start(kit, { intensity: 0, children: [a.spec] });
    for (let crashes = 1; crashes <= 10; crashes++) {
      a.tell('crash');
      await kit.advance(PERIOD_MS / 2 + 1);
    }
    expect(taken(log)).toBe(`+a${' -a +a'.repeat(10)}`);
  });

  it('does not spend the limit of a sibling without one', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const [a, b] = [worker(log, 'a', { restartLimit }), worker(log, 'b')];
    await start(kit, { intensity: 1, children: [a.spec, b.spec] });
    for (const one of [a, a, b]) {
      one.tell('crash');
      await kit.settle();
    }
    expect(taken(log)).toBe('+a +b -a +a -a +a -b +b');
    b.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-b -a');
  });
});
