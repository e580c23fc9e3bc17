import { codeOf } from '../errors.ts';
import type { Reply, Requester, RequestOptions } from '../transport/mod.ts';

/** One request that is sent until it has ended. */
export interface Resending extends Omit<RequestOptions, 'requestId' | 'deadlineMs'> {
  readonly requestId: string;
  readonly deadlineMs: number;
}

/** A repeat joins the first, so sending one costs little; a service that takes long is asked ever more rarely. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 8_000;
/** Nobody serves the fleet now: it may be starting. */
const NOBODY_MS = 200;

/**
 * Sends a request with the same id again and again until it has ended or its deadline has passed (R11): a Shoal that died with it, and
 * the next one that comes up, are no concern of the caller's. Work may be done twice, a result never arrives twice.
 * @param wasServed whether the fleet has ever answered: then nobody there means that it is coming back, else that it does not exist
 * @throws what the request ended with; REQUEST_NO_RESPONDERS if nobody serves the fleet
 */
export async function sendUntilEnded(
  requester: Requester,
  payload: Uint8Array,
  options: Resending,
  wasServed: () => boolean,
): Promise<Reply> {
  const endMs = performance.now() + options.deadlineMs;
  const attempts: Promise<Ended>[] = [];
  for (let againMs = AGAIN_FIRST_MS; ; againMs = Math.min(2 * againMs, AGAIN_MAX_MS)) {
    const leftMs = Math.max(1, Math.ceil(endMs - performance.now()));
    attempts.push(ended(requester.request(payload, { ...options, deadlineMs: leftMs })));
    const end = await firstOf(attempts, Math.min(againMs, leftMs));
    if (end?.kind === 'reply') return end.reply;
    const nobody = end?.kind === 'error' && wasServed() && codeOf(end.error) === 'REQUEST_NO_RESPONDERS';
    if (end?.kind === 'error' && (!nobody || performance.now() + NOBODY_MS >= endMs)) throw end.error;
    if (!nobody) continue;
    attempts.length = 0;
    await firstOf([], NOBODY_MS);
    options.signal?.throwIfAborted();
  }
}

type Ended = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'error'; readonly error: unknown };

/** Never rejects: an attempt that nobody waits for any more may still fail. */
function ended(attempt: Promise<Reply>): Promise<Ended> {
  return attempt.then(
    (reply) => ({ kind: 'reply', reply }),
    (error: unknown) => ({ kind: 'error', error }),
  );
}

/** @returns undefined if none has ended within the time */
async function firstOf(attempts: readonly Promise<Ended>[], withinMs: number): Promise<Ended | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), withinMs);
  try {
    return await Promise.race([...attempts, promise]);
  } finally {
    clearTimeout(timer);
  }
}
