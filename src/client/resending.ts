import { codeOf, ShoalError } from '../errors.ts';
import { noReplyWithin, type Reply, type Requester, type RequestOptions } from '../transport/mod.ts';

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
  const leftMs = (): number => Math.max(1, Math.ceil(endMs - performance.now()));
  const open = new Set<Promise<Ended>>();
  // The first goes with the deadline as it was given, so that one that is none is refused.
  let deadlineMs = options.deadlineMs;
  for (let againMs = AGAIN_FIRST_MS; ; againMs = Math.min(2 * againMs, AGAIN_MAX_MS), deadlineMs = leftMs()) {
    open.add(ended(requester.request(payload, { ...options, deadlineMs })));
    const end = await firstToMatter(open, performance.now() + Math.min(againMs, leftMs()));
    if (end?.kind === 'reply') return end.reply;
    if (end?.kind === 'error') {
      const mayComeBack = isNobody(end) && wasServed() && performance.now() + NOBODY_MS < endMs;
      if (!mayComeBack) throw isExpiry(end) ? noReplyWithin(options.deadlineMs) : end.error;
      await within(open, NOBODY_MS);
    } else if (performance.now() >= endMs) {
      throw noReplyWithin(options.deadlineMs);
    }
  }
}

/**
 * The first end of an attempt that says something. A repeat that finds nobody says nothing while an earlier one is in somebody's hands: a
 * Shoal that is stopping takes no more requests and still answers those that it has. Nor does one for which there was no room here.
 * @returns undefined if there is none by then
 */
async function firstToMatter(open: Set<Promise<Ended>>, untilMs: number): Promise<Ended | undefined> {
  for (;;) {
    const end = await within(open, untilMs - performance.now());
    if (end === undefined) return undefined;
    open.delete(end.attempt);
    if (open.size === 0 || !(isNobody(end) || isRefusedHere(end))) return end;
  }
}

function isNobody(end: Ended): boolean {
  return end.kind === 'error' && codeOf(end.error) === 'REQUEST_NO_RESPONDERS';
}

/** Many requests that take long fill the requester with their repeats. The fleet's own refusal has no such figure. */
function isRefusedHere(end: Ended): boolean {
  if (end.kind === 'reply' || !(end.error instanceof ShoalError)) return false;
  return end.error.code === 'REQUEST_OVERLOADED' && 'inFlight' in end.error.details;
}

/** An attempt's own deadline, which is what was left of the one that the caller knows. */
function isExpiry({ error }: Extract<Ended, { kind: 'error' }>): boolean {
  return error instanceof ShoalError && error.code === 'REQUEST_DEADLINE' && 'deadlineMs' in error.details;
}

type Ended = { readonly attempt: Promise<Ended> } & (
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'error'; readonly error: unknown }
);

/** Never rejects: an attempt that nobody waits for any more may still fail. */
function ended(request: Promise<Reply>): Promise<Ended> {
  const attempt: Promise<Ended> = request.then(
    (reply) => ({ attempt, kind: 'reply', reply }),
    (error: unknown) => ({ attempt, kind: 'error', error }),
  );
  return attempt;
}

/** @returns undefined if none has ended within the time */
async function within(attempts: Iterable<Promise<Ended>>, ms: number): Promise<Ended | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  try {
    return await Promise.race([...attempts, promise]);
  } finally {
    clearTimeout(timer);
  }
}
