/** What a guest says of itself when it is up. */
export interface GuestReady {
  /** Largest text it takes or gives, bytes. */
  readonly textBytesMax: number;
  /** Whether its operations may be run twice. */
  readonly idempotent: boolean;
  readonly operations: readonly string[];
  /** It takes and gives any bytes, and a content type in the frame; absent: text. */
  readonly payload?: 'bytes';
}

/** One status line of a guest. */
export interface GuestReport {
  /** Counts up from 1 in each life of a guest. */
  readonly seq: number;
  /** Busy share of the virtual CPU since the report before, 0 to 100. */
  readonly cpuPercent: number;
  readonly ramBytes: number;
  /** Requests queued or in work, by the guest's own count. */
  readonly inFlight: number;
  /** Requests ended since boot. */
  readonly served: number;
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}

/** Whether the figures are ones that a guest can have: a console is hostile input. */
export function isPossible({ seq, cpuPercent, ramBytes, inFlight, served }: GuestReport): boolean {
  return (
    isCount(seq) && isCount(inFlight) && isCount(served) && isCount(ramBytes) && cpuPercent >= 0 && cpuPercent <= 100
  );
}
