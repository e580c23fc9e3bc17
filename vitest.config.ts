import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;
/** vitest itself leaves a core to the terminal. */
const WORKERS = availableParallelism();
const REAL_FILES = Number(process.env['SHOAL_REAL_FILES'] || Math.min(2, WORKERS));

const real = '**/*.real.test.ts';
const long = '**/*.long.test.ts';
const never = ['**/node_modules/**', '**/dist/**', '**/.*/**'];

/**
 * Three projects, told apart by a file's name:
 *
 * - `unit` (`policy.test.ts`): in memory, and the set-up with fake programs. No QEMU, no NATS.
 * - `real` (`qmp.real.test.ts`): starts real QEMU and nats-server processes. Two files at a time, or `SHOAL_REAL_FILES`: more would
 *   starve the guests of two cores.
 * - `long` (`kill-matrix.long.test.ts`): the same, for minutes, one file at a time; not part of `npm test`.
 */
export default defineConfig({
  test: {
    setupFiles: ['test/fast-check.ts', 'test/stop-fleets.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'demo/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...never, real, long],
          // Loading the modules anew for each file would take longer than all tests; a file leaves nothing behind for the next.
          isolate: false,
          maxWorkers: WORKERS,
          unstubEnvs: true,
          testTimeout: MINUTE,
          hookTimeout: MINUTE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: [real],
          exclude: never,
          maxWorkers: REAL_FILES,
          testTimeout: 2 * MINUTE,
          hookTimeout: 2 * MINUTE,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [long],
          exclude: never,
          fileParallelism: false,
          testTimeout: 15 * MINUTE,
          hookTimeout: 5 * MINUTE,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
