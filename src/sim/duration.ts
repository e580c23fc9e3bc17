import { ShoalError } from '../errors.ts';
import { DURATION_MS_MAX, SIGMA_MAX } from './limits.ts';
import type { Chance } from './random.ts';

/** How long something takes, in milliseconds. */
export type Duration =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly fromMs: number; readonly toMs: number }
  /** @param sigma of the logarithm: 0 is constant, 1 has a p99 of ten medians */
  | { readonly kind: 'lognormal'; readonly medianMs: number; readonly sigma: number };

export function draw(duration: Duration, chance: Chance): number {
  switch (duration.kind) {
    case 'constant':
      return duration.ms;
    case 'uniform':
      return duration.fromMs + (duration.toMs - duration.fromMs) * chance.fraction();
    case 'lognormal':
      return Math.min(DURATION_MS_MAX, duration.medianMs * Math.exp(duration.sigma * chance.normal()));
  }
}

/** Few take longer: one of forty, if it is lognormal. */
export function usualMaxMs(duration: Duration): number {
  switch (duration.kind) {
    case 'constant':
      return duration.ms;
    case 'uniform':
      return duration.toMs;
    case 'lognormal':
      return duration.medianMs * Math.exp(2 * duration.sigma);
  }
}

/**
 * Reads `50`, `20..80` or `lognormal:50:0.5` (median and sigma).
 * @throws CONFIG_VALUE
 */
export function parseDuration(text: string, flag: string): Duration {
  const constant = /^\d+(?:\.\d+)?$/.exec(text);
  if (constant !== null) return checked({ kind: 'constant', ms: Number(text) }, text, flag);
  const uniform = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$/.exec(text);
  if (uniform !== null) {
    return checked({ kind: 'uniform', fromMs: Number(uniform[1]), toMs: Number(uniform[2]) }, text, flag);
  }
  const lognormal = /^lognormal:(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text);
  if (lognormal !== null) {
    return checked({ kind: 'lognormal', medianMs: Number(lognormal[1]), sigma: Number(lognormal[2]) }, text, flag);
  }
  throw refused(text, flag);
}

export function formatDuration(duration: Duration): string {
  switch (duration.kind) {
    case 'constant':
      return String(duration.ms);
    case 'uniform':
      return `${duration.fromMs}..${duration.toMs}`;
    case 'lognormal':
      return `lognormal:${duration.medianMs}:${duration.sigma}`;
  }
}

function checked(duration: Duration, text: string, flag: string): Duration {
  const isFine =
    duration.kind === 'constant'
      ? duration.ms <= DURATION_MS_MAX
      : duration.kind === 'uniform'
        ? duration.fromMs <= duration.toMs && duration.toMs <= DURATION_MS_MAX
        : duration.medianMs <= DURATION_MS_MAX && duration.sigma <= SIGMA_MAX;
  if (!isFine) throw refused(text, flag);
  return duration;
}

function refused(text: string, flag: string): ShoalError {
  const forms = '`50`, `20..80` or `lognormal:50:0.5` (median and sigma, up to 4), in milliseconds up to 3600000';
  return new ShoalError('CONFIG_VALUE', `Expected ${flag} to be ${forms}, got \`${text}\``);
}
