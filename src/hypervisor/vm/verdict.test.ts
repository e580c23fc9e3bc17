import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { PROBE_LIMIT_MS } from '../../fleet/mod.ts';
import { probeVerdict, type Verdict } from './verdict.ts';

/** Probes a machine whose process wants that share of a CPU, and whose monitor answers or does not. */
async function verdictOf(cpuShare: number, answers: boolean): Promise<Verdict | undefined> {
  const clock = new ManualClock();
  const machine = {
    cpuDemandMs: () => clock.monotonic() * cpuShare,
    qmp: (_command: string, _args: unknown, timeoutMs = 0): Promise<unknown> =>
      answers
        ? Promise.resolve({})
        : new Promise((_resolve, reject) => clock.timer(timeoutMs, () => reject(new Error('QMP_TIMEOUT')))),
  };
  let verdict: Verdict | undefined;
  void probeVerdict(machine, clock).then((found) => {
    verdict = found;
  });
  await clock.advance(PROBE_LIMIT_MS - 1);
  return verdict;
}

describe('a silent VM', () => {
  it('is stuck if QEMU answers and its process burns CPU', async () => {
    expect(await verdictOf(1, true)).toBe('stuck');
  });

  it('is dead if its process sleeps, or if QEMU does not answer in time', async () => {
    expect(await verdictOf(0.01, true)).toBe('dead');
    expect(await verdictOf(1, false)).toBe('dead');
  });
});
