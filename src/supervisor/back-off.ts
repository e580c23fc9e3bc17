import { exponentialDelayMs } from '../actors/mod.ts';
import { checkKeys, checkNumber, checkObject } from './spec-checks.ts';

/**
 * How long a restart waits. Each failure in a row makes the wait longer, up to a limit. Chance makes it shorter, so
 * that children that failed together do not restart together.
 */
export interface BackOff {
  /** The wait after the first failure. */
  readonly minMs: number;
  readonly maxMs: number;
  /** How many times longer than the one before each wait is; default 2. */
  readonly factor?: number;
  /** The share of a wait that chance decides, from 0 to 1; default 0.2. */
  readonly jitter?: number;
  /** After a child has lived so long, its next failure counts as the first again. Default: `maxMs`. */
  readonly resetMs?: number;
}

const JITTER_DEFAULT = 0.2;
const NAMES = ['minMs', 'maxMs', 'factor', 'jitter', 'resetMs'];

/** @param failures in a row, this one included; @param chance from 0 to 1 */
export function waitMs(backOff: BackOff, failures: number, chance: number): number {
  const { minMs: firstMs, maxMs, factor, jitter = JITTER_DEFAULT } = backOff;
  return exponentialDelayMs({ firstMs, maxMs, factor }, failures - 1) * (1 - jitter * chance);
}

/** @param before failures in a row before this one; @param livedMs how long the child lived until then */
export function failuresNow(backOff: BackOff | undefined, before: number, livedMs: number): number {
  if (backOff === undefined) return 0;
  return livedMs >= (backOff.resetMs ?? backOff.maxMs) ? 1 : before + 1;
}

/** @throws SUPERVISOR_SPEC_INVALID */
export function checkBackOff(backOff: BackOff): void {
  checkObject('`backOff`', backOff);
  checkKeys('a back-off', backOff, NAMES);
  const { minMs, maxMs, factor = 1, jitter = 0, resetMs = 0 } = backOff;
  checkNumber('`minMs` of a back-off', minMs, (ms) => ms > 0, 'more than 0');
  const isLongest = (ms: number): boolean => ms >= minMs && Number.isFinite(ms);
  checkNumber('`maxMs` of a back-off', maxMs, isLongest, `from \`minMs\` (${minMs}) up`);
  checkNumber('`factor` of a back-off', factor, (times) => times >= 1 && Number.isFinite(times), 'from 1 up');
  checkNumber('`jitter` of a back-off', jitter, (part) => part >= 0 && part <= 1, 'from 0 to 1');
  checkNumber('`resetMs` of a back-off', resetMs, (ms) => ms >= 0, 'from 0 up');
}
