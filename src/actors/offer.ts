import { offerTo } from './addressee.ts';
import { checkGiven, MS_ABOVE_0, type Rules, rule } from './checks.ts';
import type { Clock } from './clock.ts';
import type { Ref } from './ref.ts';

/** When an offer that waits is given up. It then resolves with false, and its message is a dead letter. */
export interface OfferOptions {
  /** How many milliseconds it may wait; default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const RULES: Rules<OfferOptions> = {
  timeoutMs: MS_ABOVE_0,
  signal: rule('an AbortSignal', (value) => value instanceof AbortSignal),
};

/** Offers a message, as `Context.offer` describes. @throws ACTOR_REF_INVALID, CONFIG_VALUE */
export function offer<M>(clock: Clock, ref: Ref<M>, message: M, options?: OfferOptions): Promise<boolean> {
  if (options === undefined) return offerTo(ref, message);
  checkGiven('an offer', options, RULES);
  const { timeoutMs, signal } = options;
  return timeoutMs === undefined
    ? offerTo(ref, message, signal)
    : offerFor(timeoutMs, clock, (limit) => offerTo(ref, message, limit), signal);
}

async function offerFor(
  timeoutMs: number,
  clock: Clock,
  start: (limit: AbortSignal) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const limit = new AbortController();
  const cancel = clock.timer(timeoutMs, () => limit.abort());
  try {
    return await start(signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]));
  } finally {
    cancel();
  }
}
