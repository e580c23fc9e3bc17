/**
 * How requests are paced. `rate`: an open loop, each is due at a time of its own, however the fleet does; `concurrency`: a closed loop, so many
 * are in flight, and the end of one begins the next. Over `rampMs` the pace grows evenly from nothing to the full one.
 */
export type Pace =
  | { readonly kind: 'rate'; readonly perSecond: number; readonly rampMs: number }
  | { readonly kind: 'concurrency'; readonly clients: number; readonly rampMs: number };

export interface Bounds {
  readonly durationMs: number;
  readonly requestsMax: number;
  /** Requests that become due beyond this limit wait, and their latency includes the wait. */
  readonly inFlightMax: number;
}

export interface Progress {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly inFlight: number;
}

export interface Step {
  /** How many requests to send now. */
  readonly send: number;
  /** Whether these are the last. */
  readonly isLast: boolean;
  /** When to look again, if no request ends before; on the clock of `elapsedMs`. */
  readonly nextMs: number;
}

/** Decides how many requests to send now, and when to look again. */
export function step(pace: Pace, bounds: Bounds, { elapsedMs, sent, inFlight }: Progress): Step {
  const { durationMs, requestsMax, inFlightMax } = bounds;
  const isOver = elapsedMs >= durationMs;
  const wanted =
    pace.kind === 'rate'
      ? // What was due in time goes, though the look at the clock comes late.
        dueWithin(pace, elapsedMs, durationMs) - sent
      : (isOver ? 0 : clientsAt(pace, elapsedMs)) - inFlight;
  const send = Math.max(0, Math.min(wanted, inFlightMax - inFlight, requestsMax - sent));
  const isLast = isOver || sent + send >= requestsMax;
  // Without room, the next request goes when another ends, which no clock can tell.
  if (inFlight + send >= inFlightMax) return { send, isLast, nextMs: durationMs };
  const nextMs = pace.kind === 'rate' ? dueMs(pace, sent + send) : moreClientsMs(pace, elapsedMs);
  return { send, isLast, nextMs: Math.min(nextMs, durationMs) };
}

/** When the request with this index is due, in milliseconds from the start. */
export function dueMs({ perSecond, rampMs }: Extract<Pace, { kind: 'rate' }>, index: number): number {
  const perMs = perSecond / 1000;
  // A linear ramp makes the count grow with the square of time, to half of the full rate's count.
  const inRamp = (perMs * rampMs) / 2;
  return index < inRamp ? Math.sqrt((2 * rampMs * index) / perMs) : rampMs / 2 + index / perMs;
}

/** How many requests are due by then, including those already sent. */
export function dueBy({ perSecond, rampMs }: Extract<Pace, { kind: 'rate' }>, elapsedMs: number): number {
  const perMs = perSecond / 1000;
  const passed = elapsedMs < rampMs ? (perMs * elapsedMs ** 2) / (2 * rampMs) : perMs * (elapsedMs - rampMs / 2);
  // The first is due at the start. The tolerance keeps rounding from delaying a request for ever.
  return Math.floor(passed + 1e-9) + 1;
}

/** How many requests are due by then and before the end. */
export function dueWithin(pace: Extract<Pace, { kind: 'rate' }>, elapsedMs: number, endMs: number): number {
  const due = dueBy(pace, Math.min(elapsedMs, endMs));
  return dueMs(pace, due - 1) >= endMs ? due - 1 : due;
}

function clientsAt({ clients, rampMs }: Extract<Pace, { kind: 'concurrency' }>, elapsedMs: number): number {
  return elapsedMs >= rampMs ? clients : Math.min(clients, Math.floor((clients * elapsedMs) / rampMs) + 1);
}

function moreClientsMs(pace: Extract<Pace, { kind: 'concurrency' }>, elapsedMs: number): number {
  const now = clientsAt(pace, elapsedMs);
  return now >= pace.clients ? Number.POSITIVE_INFINITY : (now * pace.rampMs) / pace.clients;
}
