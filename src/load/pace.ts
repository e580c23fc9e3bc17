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
  /** Requests that are due beyond this wait, and their time runs. */
  readonly inFlightMax: number;
}

export interface Progress {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly inFlight: number;
}

export interface Step {
  /** So many are to be sent now. */
  readonly send: number;
  /** Nothing more is sent after that. */
  readonly isLast: boolean;
  /** When to look again, if no request ends before; on the clock of `elapsedMs`. */
  readonly nextMs: number;
}

/** What to do now. */
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
  // What finds no room goes when another ends: there is no time at which to look.
  if (inFlight + send >= inFlightMax) return { send, isLast, nextMs: durationMs };
  const nextMs = pace.kind === 'rate' ? dueMs(pace, sent + send) : moreClientsMs(pace, elapsedMs);
  return { send, isLast, nextMs: Math.min(nextMs, durationMs) };
}

/** When the request of that number, from 0, is due: milliseconds from the start. */
export function dueMs({ perSecond, rampMs }: Extract<Pace, { kind: 'rate' }>, index: number): number {
  const perMs = perSecond / 1000;
  // While the rate grows evenly the count grows as the square of time; it comes to half of the full rate's.
  const inRamp = (perMs * rampMs) / 2;
  return index < inRamp ? Math.sqrt((2 * rampMs * index) / perMs) : rampMs / 2 + index / perMs;
}

/** How many requests are due by then, those that have been sent included. */
export function dueBy({ perSecond, rampMs }: Extract<Pace, { kind: 'rate' }>, elapsedMs: number): number {
  const perMs = perSecond / 1000;
  const passed = elapsedMs < rampMs ? (perMs * elapsedMs ** 2) / (2 * rampMs) : perMs * (elapsedMs - rampMs / 2);
  // The first is due at the start. What rounding has taken away must not make one wait for ever.
  return Math.floor(passed + 1e-9) + 1;
}

/** How many are due by then and before the end. */
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
