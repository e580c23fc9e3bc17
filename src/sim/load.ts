import { ShoalError } from '../errors.ts';
import { RATE_MAX, RUN_MS_MAX } from './limits.ts';
import type { Chance } from './random.ts';

/** Requests a second over time, as a function. */
export type Shape =
  | { readonly kind: 'constant'; readonly perSecond: number }
  /** From one rate to another at a moment. */
  | { readonly kind: 'step'; readonly perSecond: number; readonly toPerSecond: number; readonly atMs: number }
  /** A high rate for a moment, again and again. */
  | {
      readonly kind: 'burst';
      readonly perSecond: number;
      readonly peakPerSecond: number;
      readonly everyMs: number;
      readonly forMs: number;
    }
  /** Between two rates, as a day goes. */
  | { readonly kind: 'sine'; readonly fromPerSecond: number; readonly toPerSecond: number; readonly periodMs: number };

/** Where requests come from, one after the other. */
export interface Load {
  /** When the next one comes, in milliseconds since the start, never before the last; undefined: none comes any more. */
  next(): Arrival | undefined;
}

export interface Arrival {
  readonly atMs: number;
  /** Bytes of its text. */
  readonly bytes: number;
  /** Of work, if the trace says so. */
  readonly units: number | undefined;
}

/** Of a request whose size nobody says. */
export const TEXT_BYTES = 64;

/** Arrivals that are independent of each other (Poisson), at the shape's rate; by thinning (Lewis and Shedler, 1979). */
export function shapedLoad(shape: Shape, chance: Chance, endMs: number): Load {
  const peak = peakOf(shape);
  let atMs = 0;
  return {
    next() {
      for (;;) {
        atMs += chance.msToNext(peak);
        if (!(atMs < endMs)) return undefined;
        if (chance.happens(rateAt(shape, atMs) / peak)) return { atMs, bytes: TEXT_BYTES, units: undefined };
      }
    },
  };
}

export function rateAt(shape: Shape, atMs: number): number {
  switch (shape.kind) {
    case 'constant':
      return shape.perSecond;
    case 'step':
      return atMs < shape.atMs ? shape.perSecond : shape.toPerSecond;
    case 'burst':
      return atMs % shape.everyMs < shape.forMs ? shape.peakPerSecond : shape.perSecond;
    case 'sine': {
      const middle = (shape.fromPerSecond + shape.toPerSecond) / 2;
      const swing = (shape.toPerSecond - shape.fromPerSecond) / 2;
      return middle - swing * Math.cos((2 * Math.PI * atMs) / shape.periodMs);
    }
  }
}

function peakOf(shape: Shape): number {
  switch (shape.kind) {
    case 'constant':
      return shape.perSecond;
    case 'step':
      return Math.max(shape.perSecond, shape.toPerSecond);
    case 'burst':
      return Math.max(shape.perSecond, shape.peakPerSecond);
    case 'sine':
      return Math.max(shape.fromPerSecond, shape.toPerSecond);
  }
}

/** Of a shape. */
const TIME_S_MIN = 0.001;
const DAYS_MAX = RUN_MS_MAX / 86_400_000;
const FORMS = '`constant:RATE`, `step:RATE:RATE:SECONDS`, `burst:RATE:PEAK:EVERY:FOR` or `sine:FROM:TO:PERIOD`';

/**
 * Reads a shape. Rates are requests a second, times are seconds.
 * @throws CONFIG_VALUE
 */
export function parseShape(text: string): Shape {
  const [kind, ...parts] = text.split(':');
  const numbers = parts.map((part) => (/^\d+(?:\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const [one = Number.NaN, two = Number.NaN, three = Number.NaN, four = Number.NaN] = numbers;
  const count = { constant: 1, step: 3, burst: 4, sine: 3 }[kind ?? ''];
  const rates = kind === 'constant' ? [one] : [one, two];
  const times = kind === 'burst' ? [three, four] : kind === 'constant' ? [] : [three];
  const isFine =
    parts.length === count &&
    rates.every((rate) => rate >= 0 && rate <= RATE_MAX) &&
    Math.max(...rates) > 0 &&
    times.every((time) => time >= TIME_S_MIN && time * 1_000 <= RUN_MS_MAX);
  if (!isFine) {
    const expected = `Expected --load to be ${FORMS}, rates up to ${RATE_MAX} requests a second and not all 0, times from ${TIME_S_MIN} seconds to ${DAYS_MAX} days, in seconds`;
    throw new ShoalError('CONFIG_VALUE', `${expected}; got \`${text}\``);
  }
  if (kind === 'constant') return { kind, perSecond: one };
  if (kind === 'step') return { kind, perSecond: one, toPerSecond: two, atMs: three * 1_000 };
  if (kind === 'sine') return { kind, fromPerSecond: one, toPerSecond: two, periodMs: three * 1_000 };
  return { kind: 'burst', perSecond: one, peakPerSecond: two, everyMs: three * 1_000, forMs: four * 1_000 };
}

/** The shape in the form that `parseShape` reads. */
export function formatShape(shape: Shape): string {
  switch (shape.kind) {
    case 'constant':
      return `constant:${shape.perSecond}`;
    case 'step':
      return `step:${shape.perSecond}:${shape.toPerSecond}:${shape.atMs / 1_000}`;
    case 'burst':
      return `burst:${shape.perSecond}:${shape.peakPerSecond}:${shape.everyMs / 1_000}:${shape.forMs / 1_000}`;
    case 'sine':
      return `sine:${shape.fromPerSecond}:${shape.toPerSecond}:${shape.periodMs / 1_000}`;
  }
}
