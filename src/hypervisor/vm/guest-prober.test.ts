import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import { type FakeGuest, FramedGuest, HttpGuest } from '../link/testing/fake-guest.ts';
import type { ImageProfile } from '../profile/profile.ts';
import { BUILT_IN_PROFILE } from '../profile/shipped.ts';
import { GuestProber, type ProberOptions } from './guest-prober.ts';

const MIB = 1024 * 1024;
const SILENT: ImageProfile = { ...BUILT_IN_PROFILE, console: { format: 'none' } };
const PROBE = { path: '/health', intervalMs: 1_000, timeoutMs: 500, failures: 3 };
const HTTP: ImageProfile = { ...SILENT, protocol: 'http', readiness: PROBE };

class Bench {
  readonly clock = new ManualClock();
  readonly told: ConsoleEvent[] = [];
  readonly prober: GuestProber;

  constructor(guest: FakeGuest, overrides: Partial<ProberOptions> = {}) {
    this.prober = new GuestProber({
      profile: HTTP,
      connect: () => guest.connect(),
      clock: this.clock,
      statusIntervalMs: 1_000,
      guest: {
        bind: '10.0.2.15/24',
        addr: '127.0.10.1:9000',
        textBytesMax: 1_000,
        idempotent: true,
        ramBytesMax: 96 * MIB,
        measured: () => ({ seq: this.told.length + 1, cpuPercent: 7, ramBytes: 96 * MIB }),
      },
      isReady: false,
      tell: (event) => this.told.push(event),
      ...overrides,
    });
  }

  /** Moves the clock, and lets what follows from it happen. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      await this.clock.advance(Math.min(left, 100));
      for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    }
  }

  /** How often each kind has been told. */
  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.told) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }
}

describe.each([
  ['HTTP', () => new HttpGuest(), HTTP],
  ['frames', () => new FramedGuest(), SILENT],
] as const)('a silent guest over %s', (_, made, profile) => {
  it('is ready once it answers, with what it was told, and then reports what its host sees', async () => {
    const guest = made();
    const bench = new Bench(guest, { profile });
    guest.down('refused');
    await bench.advance(3_000);
    expect(bench.told).toEqual([]);
    guest.up();
    await bench.advance(2_000);
    expect(bench.told.slice(0, 2)).toEqual([
      {
        kind: 'ready',
        bind: '10.0.2.15/24',
        addr: '127.0.10.1:9000',
        guest: { textBytesMax: 1_000, idempotent: true, operations: [] },
      },
      { kind: 'status', report: { seq: 2, cpuPercent: 7, ramBytes: 96 * MIB, inFlight: 0, served: 0 } },
    ]);
    await bench.advance(10_000);
    expect(bench.counts).toMatchObject({ ready: 1, status: expect.any(Number) });
    expect(bench.counts['status']).toBeGreaterThanOrEqual(10);
  });

  it('is reported as soon as it is ready, however often it failed before', async () => {
    const guest = made();
    guest.down('refused');
    const bench = new Bench(guest, { profile });
    await bench.advance(5_000);
    expect(bench.prober.hasFailed).toBe(true);
    guest.up();
    for (let tries = 0; bench.told.length === 0 && tries < 100; tries++) await bench.advance(100);
    expect(bench.told.map(({ kind }) => kind)).toEqual(['ready', 'status']);
  });

  it('is asked nothing more after an end while it is asked', async () => {
    const guest = made();
    guest.up();
    const bench = new Bench(guest, { profile, isReady: true });
    await bench.advance(2_900);
    guest.answers = false;
    await bench.advance(200);
    bench.prober.end();
    const { attempts } = guest;
    const told = bench.told.length;
    guest.answers = true;
    await bench.advance(10_000);
    expect([guest.attempts, guest.openConnections, bench.told.length]).toEqual([attempts, 0, told]);
    expect(bench.clock.pending).toBe(0);
  });

  it('keeps no connection that opens after the end', async () => {
    const guest = made();
    const bench = new Bench(guest, { profile });
    await bench.advance(100);
    expect(guest.openConnections).toBe(1);
    bench.prober.end();
    guest.up();
    await bench.advance(10_000);
    expect([guest.openConnections, bench.told]).toEqual([0, []]);
  });

  it('is reported until it has failed three times in a row, and again once it answers', async () => {
    const guest = made();
    guest.up();
    const bench = new Bench(guest, { profile, isReady: true });
    await bench.advance(5_000);
    guest.answers = false;
    await bench.advance(30_000);
    const silent = bench.counts['status'] ?? 0;
    expect(silent).toBeLessThan(15);
    expect(bench.prober.hasFailed).toBe(true);
    await bench.advance(10_000);
    expect(bench.counts['status']).toBe(silent);
    guest.answers = true;
    await bench.advance(10_000);
    expect(bench.counts['status']).toBeGreaterThan(silent);
  });

  it('is asked nothing more after the end', async () => {
    const guest = made();
    guest.up();
    const bench = new Bench(guest, { profile });
    await bench.advance(3_000);
    bench.prober.end();
    const { attempts } = guest;
    const told = bench.told.length;
    await bench.advance(10_000);
    expect([guest.attempts, bench.told.length]).toEqual([attempts, told]);
  });
});

describe('a probe over HTTP', () => {
  it('asks for the path of the profile, over a connection that is kept, and takes 200 to 299 for a sign of life', async () => {
    const guest = new HttpGuest();
    guest.probeStatus = 404;
    guest.up();
    const bench = new Bench(guest);
    await bench.advance(3_000);
    expect(bench.told).toEqual([]);
    guest.probeStatus = 202;
    await bench.advance(3_000);
    expect(bench.counts).toMatchObject({ ready: 1 });
    expect(new Set(guest.probed)).toEqual(new Set(['/health']));
    expect(guest.attempts).toBe(1);
  });

  it('without a path in the profile takes every answer that is no failure of the server', async () => {
    const guest = new HttpGuest();
    guest.probeStatus = 405;
    guest.keepsAlive = false;
    guest.up();
    const bench = new Bench(guest, { profile: { ...SILENT, protocol: 'http' } });
    await bench.advance(3_000);
    expect(bench.counts).toMatchObject({ ready: 1 });
    expect(guest.probed[0]).toBe('/');
  });

  it('that fails for the third time in a row is one too many, and not the second', async () => {
    const guest = new HttpGuest();
    guest.up();
    guest.answers = false;
    const bench = new Bench(guest, { isReady: true });
    // Each takes its interval and its time.
    await bench.advance(3 * (PROBE.intervalMs + PROBE.timeoutMs) - 100);
    expect(bench.prober.hasFailed).toBe(false);
    await bench.advance(100);
    expect(bench.prober.hasFailed).toBe(true);
  });

  it('of readiness and of liveness may differ', async () => {
    const guest = new HttpGuest();
    guest.up();
    const liveness = { ...PROBE, path: '/alive' };
    const bench = new Bench(guest, { profile: { ...HTTP, liveness } });
    await bench.advance(3_000);
    expect(guest.probed.slice(0, 3)).toEqual(['/health', '/alive', '/alive']);
    expect(bench.counts).toMatchObject({ ready: 1 });
  });
});
