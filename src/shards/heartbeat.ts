/** The default interval of a shard's heartbeat: a sign that its event loop turns. */
export const BEAT_MS = 500;
/** How long a shard may be silent by default. */
export const HANG_MS = 2_000;

export interface HeartbeatLimits {
  /** How often the shard beats, and how often the main thread checks. */
  readonly beatMs: number;
  /** A shard that is silent for so long counts as hung. */
  readonly hangMs: number;
}

export interface Pulse {
  /** How long the shard has been silent while the main thread could have heard it. */
  readonly silentMs: number;
  /** When it was last checked, in monotonic milliseconds. */
  readonly checkedMs: number;
}

/** The pulse after a check that found a beat since the one before. */
export function heard(nowMs: number): Pulse {
  return { silentMs: 0, checkedMs: nowMs };
}

/**
 * The pulse after a check that found no beat. If this process itself stood still (it was stopped, or its main thread
 * was busy), that time proves nothing: the shard may have stood still with it, or its beats wait to be read. So no
 * check counts for more than two intervals.
 */
export function silent(pulse: Pulse, nowMs: number, { beatMs }: HeartbeatLimits): Pulse {
  const sinceMs = Math.min(nowMs - pulse.checkedMs, 2 * beatMs);
  return { silentMs: pulse.silentMs + sinceMs, checkedMs: nowMs };
}

export function isHung(pulse: Pulse, { hangMs }: HeartbeatLimits): boolean {
  return pulse.silentMs >= hangMs;
}
