import { NO_FAULTS, type Scenario } from './scenario.ts';

const GIB = 1024 ** 3;

/** A laptop with a few VMs: what `shoal simulate` runs unless flags say otherwise. Durations as measured in `docs/performance.md`. */
export const DEFAULT_SCENARIO: Scenario = {
  seed: 1,
  durationMs: 60_000,
  load: { kind: 'constant', perSecond: 20 },
  hosts: 1,
  beats: { beatMs: 1_000, lostMs: 3_000 },
  addresses: 50,
  memoryBytes: 64 * GIB,
  params: {},
  deadlineMs: 30_000,
  clients: 4,
  repeats: 0,
  reusedIds: 0,
  deadlyRequests: 0,
  guest: {
    boot: { kind: 'lognormal', medianMs: 12, sigma: 0.2 },
    service: { kind: 'lognormal', medianMs: 5, sigma: 0.7 },
    idempotent: true,
    brokenBoots: 0,
  },
  host: {
    qemuStart: { kind: 'lognormal', medianMs: 35, sigma: 0.15 },
    monitor: { kind: 'uniform', fromMs: 0.2, toMs: 1 },
    console: { kind: 'uniform', fromMs: 1, toMs: 5 },
    link: { kind: 'uniform', fromMs: 0.05, toMs: 0.2 },
    failedStarts: 0,
  },
  disk: { write: { kind: 'lognormal', medianMs: 3, sigma: 0.5 }, failedWrites: 0 },
  natsLatency: { kind: 'uniform', fromMs: 0.05, toMs: 0.3 },
  network: { lost: 0, doubled: 0, late: 0, lateMs: { kind: 'constant', ms: 0 } },
  faults: NO_FAULTS,
};
