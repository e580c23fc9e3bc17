import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

const adopted = {
  kind: 'vm-adopted',
  host: 'here',
  vm: 40,
  address: { id: 1, ip: '10.0.0.1', port: 9_000 },
  pid: 7,
  startedMs: 0,
  state: 'answering',
} as const;

describe('a write that fails', () => {
  it('is repeated less and less often, and the first repeat of the next write comes soon again', async () => {
    const tries = { reserve: 0, release: 0 };
    let isFull = true;
    await using fleet = new FakeFleet({
      isUp: false,
      reserve: async () => {
        tries.reserve += 1;
        if (isFull) throw new Error('disk full');
      },
      release: async () => {
        tries.release += 1;
        if (tries.release === 1) throw new Error('disk full');
      },
    });
    fleet.event(adopted);
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(9_000);
    expect(tries.reserve).toBeGreaterThan(4);
    expect(tries.reserve).toBeLessThan(10);
    fleet.gone(40);
    isFull = false;
    while (tries.release === 0) await fleet.advance(100);
    await fleet.advance(300);
    expect(tries.release).toBe(2);
  });
});
