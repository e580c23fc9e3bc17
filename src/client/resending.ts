import { type Clock, exponentialDelayMs } from '../actors/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { noReplyWithin, type Reply, type Requester, type RequestOptions, type SentRequest } from '../transport/mod.ts';

/** One request that is sent until it has ended. */
export interface Resending extends Omit<RequestOptions, 'requestId' | 'deadlineMs'> {
  readonly requestId: string;
  readonly deadlineMs: number;
}

/** A repeat joins the first, so sending one costs little; a service that takes long is asked ever more rarely. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 8_000;
/** A fleet lets 100 repeats wait for a request and refuses the next: one with a long deadline is repeated more rarely still. */
const AGAINS_AT_LAST_PACE = 64;
/** Nobody serves the fleet now: it may be starting. */
const NOBODY_MS = 200;

/**
 * Sends a request with the same id again and again until it has ended or its deadline has passed (R11): a Shoal that died with it, and
 * the next one that comes up, are no concern of the caller's. Work may be done twice, a result never arrives twice. However often it is
 * sent, it is one of the requests that the requester has in flight.
 * @param wasServed whether the fleet has ever answered: then nobody there means that it is coming back, else that it does not exist
 * @throws what the request ended with; REQUEST_NO_RESPONDERS if nobody serves the fleet
 */
export async function sendUntilEnded(
  requester: Requester,
  payload: Uint8Array,
  options: Resending,
  wasServed: () => boolean,
  clock: Clock,
): Promise<Reply> {
  const endMs = clock.monotonic() + options.deadlineMs;
  const againMaxMs = Math.max(AGAIN_MAX_MS, options.deadlineMs / AGAINS_AT_LAST_PACE);
  // The first goes with the deadline as it was given, so that one that is none is refused.
  let isRepeat = options.isRepeat ?? false;
  for (let { deadlineMs } = options; ; deadlineMs = msUntil(endMs, clock)) {
    try {
      const sending = { ...options, deadlineMs, isRepeat };
      return await repeatUntilEnded(requester.send(payload, sending), endMs, againMaxMs, clock);
    } catch (error) {
      const mayComeBack = isNobody(error) && wasServed() && clock.monotonic() + NOBODY_MS < endMs;
      if (!mayComeBack) throw isExpiry(error) ? noReplyWithin(options.deadlineMs) : error;
    }
    isRepeat = true;
    await pause(NOBODY_MS, clock);
  }
}

async function repeatUntilEnded(sent: SentRequest, endMs: number, againMaxMs: number, clock: Clock): Promise<Reply> {
  const delay = { firstMs: AGAIN_FIRST_MS, maxMs: againMaxMs };
  let repeats = 0;
  const again = (): void => {
    if (clock.monotonic() >= endMs) return;
    sent.again(msUntil(endMs, clock));
    repeats += 1;
    cancel = clock.timer(exponentialDelayMs(delay, repeats), again);
  };
  let cancel = clock.timer(exponentialDelayMs(delay, repeats), again);
  try {
    return await sent.reply;
  } finally {
    cancel();
  }
}

/** As a deadline: a whole number, at least 1. */
function msUntil(endMs: number, clock: Clock): number {
  return Math.max(1, Math.ceil(endMs - clock.monotonic()));
}

function isNobody(error: unknown): boolean {
  return codeOf(error) === 'REQUEST_NO_RESPONDERS';
}

/** The requester's own deadline, which is what was left of the one that the caller knows. */
function isExpiry(error: unknown): boolean {
  return error instanceof ShoalError && error.code === 'REQUEST_DEADLINE' && 'deadlineMs' in error.details;
}

function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.timer(ms, resolve));
}
