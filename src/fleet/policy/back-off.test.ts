import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { type Failures, failureOf, failuresInARow, quarantinedUntilMs } from './back-off.ts';

const NONE: Failures = { failures: 0, failedMs: Number.NEGATIVE_INFINITY, notBeforeMs: 0, soundMs: 0 };

/** The failures after one more, of a VM that was started at a time and ready for a while. */
function failed(before: Failures, atMs: number, startedMs = atMs, readyForMs?: number): Failures | undefined {
  const bare = new BareFleet().later(startedMs).booting(1);
  const vm = bare.fleet.vm(1);
  if (vm === undefined) throw new Error('there is no VM');
  const readyMs = readyForMs === undefined ? undefined : atMs - readyForMs;
  return failureOf(before, { ...vm, inFlight: 0, readyMs }, atMs, atMs);
}

describe('the failures of a host', () => {
  it('make the next VM wait: not at all after the first, then 250 ms, doubling up to 30 s', () => {
    let host: Failures | undefined = NONE;
    const waitsMs = Array.from({ length: 12 }, () => {
      host = failed(host ?? NONE, 0);
      return host?.notBeforeMs;
    });
    expect(waitsMs).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it.each([
    ['9 999 ms', 9_999, 4],
    ['10 s', 10_000, 1],
  ])('begin anew with a VM that was ready for %s', (_how, readyMs, failures) => {
    const host = { ...NONE, failures: 3, failedMs: 1_000 };
    expect(failed(host, 20_000, 1_000, readyMs)).toMatchObject({ failures, failedMs: 20_000, soundMs: 0 });
  });

  it('count once for VMs that ran side by side when the first of them failed', () => {
    const first = failed(NONE, 5_000, 1_000);
    expect(first).toMatchObject({ failures: 1, notBeforeMs: 5_000 });
    expect(failed(first ?? NONE, 6_000, 4_999)).toBeUndefined();
    expect(failed(first ?? NONE, 6_000, 5_000)).toMatchObject({ failures: 2, notBeforeMs: 6_250 });
  });

  it('are over once a VM has reported for 10 s that was started after the last', () => {
    const bare = new BareFleet().booting(1).later(1_000).crash(1).ready(2).later(9_999).report(2);
    expect(failuresInARow(bare.fleet.host)).toBe(1);
    expect(failuresInARow(bare.later(1).report(2).fleet.host)).toBe(0);
    expect(bare.crash(2).fleet.host).toMatchObject({ failures: 1, soundMs: 0 });
  });

  it('stay over when a younger VM reports', () => {
    const bare = new BareFleet().booting(1).later(1_000).crash(1).ready(2).later(10_000).report(2).ready(3);
    expect(failuresInARow(bare.fleet.host)).toBe(0);
  });

  it('are not over because a VM reports that ran before the last: it may be of an older image', () => {
    const bare = new BareFleet().ready(2).later(1).booting(1).crash(1).later(60_000).report(2);
    expect(failuresInARow(bare.fleet.host)).toBe(1);
  });

  it.each<[string, (bare: BareFleet) => unknown, number]>([
    ['a VM that crashes', (bare) => bare.crash(1), 1],
    [
      'no VM that was meant to stop',
      (bare) => bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'x', nowMs: 0 }).crash(1),
      0,
    ],
    [
      'no VM that was drained',
      (bare) => bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'x', ejected: false }).crash(1),
      0,
    ],
  ])('count %s', (_what, end, failures) => {
    const bare = new BareFleet().ready(1);
    end(bare);
    expect(bare.fleet.host.failures).toBe(failures);
  });
});

describe('an address whose bind failed', () => {
  it('is set aside for 250 ms, doubling with each failure in a row, until a guest answers on it', () => {
    const bare = new BareFleet({ addresses: 1 });
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    const next = () => quarantinedUntilMs(bare.fleet.poolEntry(address), 0);
    const waitsMs = Array.from({ length: 3 }, () => {
      const untilMs = next();
      bare.apply({ kind: 'address-quarantined', address, untilMs });
      return untilMs;
    });
    expect(waitsMs).toEqual([250, 500, 1_000]);
    const guest = { textBytesMax: 1 << 20, idempotent: true, operations: [] };
    bare.preparing(1).apply({ kind: 'vm-answering', vm: 1, guest });
    expect(next()).toBe(250);
  });
});
