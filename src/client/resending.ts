import { codeOf, ShoalError } from '../errors.ts';
import { noReplyWithin, type Reply, type Requester, type RequestOptions, type SentRequest } from '../transport/mod.ts';

/** One request that is sent until it has ended. */
export interface Resending extends Omit<RequestOptions, 'requestId' | 'deadlineMs'> {
  readonly requestId: string;
  readonly deadlineMs: number;
}

/** A repeat joins the first and costs little. The longer a request takes, the more rarely it is repeated. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 8_000;
/** A fleet lets 100 repeats wait for one request and refuses the next, so a long deadline has its repeats further apart. */
const AGAINS_AT_LAST_PACE = 64;
/** While nobody serves the fleet, which may be starting. */
const NOBODY_MS = 200;

/**
 * Sends a request with the same id again and again until it has ended or its deadline has passed (R11). The caller does not notice a Shoal that
 * dies and comes back. Work may be done twice, a result never arrives twice. However often it is sent, it counts as one request in flight.
 * @param wasServed whether the fleet has ever answered. If it has, no responders mean that it is coming back, else that it does not exist
 * @throws what the request ended with; REQUEST_NO_RESPONDERS if nobody serves the fleet
 */
export async function sendUntilEnded(
  requester: Requester,
  payload: Uint8Array,
  options: Resending,
  wasServed: () => boolean,
): Promise<Reply> {
  const endMs = performance.now() + options.deadlineMs;
  const againMaxMs = Math.max(AGAIN_MAX_MS, options.deadlineMs / AGAINS_AT_LAST_PACE);
  // The first goes with the deadline as it was given, so that one that is none is refused.
  for (let { deadlineMs } = options; ; deadlineMs = msUntil(endMs)) {
    try {
      return await repeatUntilEnded(requester.send(payload, { ...options, deadlineMs }), endMs, againMaxMs);
    } catch (error) {
      const mayComeBack = isNobody(error) && wasServed() && performance.now() + NOBODY_MS < endMs;
      if (!mayComeBack) throw isExpiry(error) ? noReplyWithin(options.deadlineMs) : error;
    }
    await pause(NOBODY_MS);
  }
}

async function repeatUntilEnded(sent: SentRequest, endMs: number, againMaxMs: number): Promise<Reply> {
  const delays = { firstMs: AGAIN_FIRST_MS, maxMs: againMaxMs };
  let repeats = 0;
  const again = (): void => {
    if (performance.now() >= endMs) return;
    sent.again(msUntil(endMs));
    repeats += 1;
    timer = setTimeout(again, exponentialDelayMs(delays, repeats));
  };
  let timer = setTimeout(again, exponentialDelayMs(delays, repeats));
  try {
    return await sent.reply;
  } finally {
    clearTimeout(timer);
  }
}

function exponentialDelayMs({ firstMs, maxMs }: { firstMs: number; maxMs: number }, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** failures);
}

/** As a deadline: a whole number, at least 1. */
function msUntil(endMs: number): number {
  return Math.max(1, Math.ceil(endMs - performance.now()));
}

function isNobody(error: unknown): boolean {
  return codeOf(error) === 'REQUEST_NO_RESPONDERS';
}

/** Whether the requester's own deadline has passed, which is the rest of the caller's. */
function isExpiry(error: unknown): boolean {
  return error instanceof ShoalError && error.code === 'REQUEST_DEADLINE' && 'deadlineMs' in error.details;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
