import type { Behaviour, SpawnOptions } from './behaviour.ts';
import type { Overflow } from './mailbox.ts';
import { CAPACITY_DEFAULT, STOP_TIMEOUT_MS_DEFAULT } from './options.ts';

/** What holds for an actor for as long as it is there. */
export interface Terms {
  /** How many messages may wait before the overflow rule applies. */
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly stopTimeoutMs: number;
}

/** Of nearly all actors, which share them. */
const DEFAULT: Terms = { capacity: CAPACITY_DEFAULT, overflow: 'fail', stopTimeoutMs: STOP_TIMEOUT_MS_DEFAULT };
/** Of the last actor that had others: most that are spawned in a row have the same. */
let last = DEFAULT;

export function termsOf(
  options: SpawnOptions,
  { stopTimeoutMs: ownMs = DEFAULT.stopTimeoutMs }: Pick<Behaviour<never>, 'stopTimeoutMs'>,
): Terms {
  const { capacity = DEFAULT.capacity, overflow = DEFAULT.overflow, stopTimeoutMs = ownMs } = options;
  const terms = { capacity, overflow, stopTimeoutMs };
  if (areSame(terms, DEFAULT)) return DEFAULT;
  if (!areSame(terms, last)) last = terms;
  return last;
}

function areSame(one: Terms, other: Terms): boolean {
  return (
    one.capacity === other.capacity && one.overflow === other.overflow && one.stopTimeoutMs === other.stopTimeoutMs
  );
}
