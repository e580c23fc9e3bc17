/** How often a shard says that its event loop turns. */
export const BEAT_MS = 500;

export interface HeartbeatLimits {
  /** How often the shard beats, and how often that is looked at. */
  readonly beatMs: number;
  /** Silence of so long is the end of a shard. */
  readonly hangMs: number;
}

export interface Pulse {
  /** How long the shard has been silent while we could have heard it. */
  readonly silentMs: number;
  /** Monotonic milliseconds. */
  readonly lookedMs: number;
}

/** A look at a shard that has been heard since the last one. */
export function heard(nowMs: number): Pulse {
  return { silentMs: 0, lookedMs: nowMs };
}

/**
 * A look at one that has not. Time in which we ourselves stood still (a stopped process, a busy main thread) says nothing about the shard,
 * which may have stood still with us, or whose beats wait to be read: of it no more counts than a look that is late by chance.
 */
export function look(pulse: Pulse, nowMs: number, { beatMs }: HeartbeatLimits): Pulse {
  const sinceMs = Math.min(nowMs - pulse.lookedMs, 2 * beatMs);
  return { silentMs: pulse.silentMs + sinceMs, lookedMs: nowMs };
}

export function isHung(pulse: Pulse, { hangMs }: HeartbeatLimits): boolean {
  return pulse.silentMs >= hangMs;
}
