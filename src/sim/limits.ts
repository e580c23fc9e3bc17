/** What a scenario may have, whether flags or a file describe it: what a seed fails with can be repeated from a file. */
export const RUN_MS_MAX = 400 * 86_400_000;
/** Requests a second. */
export const RATE_MAX = 1_000_000;
/** Of one kind, in a simulated minute. */
export const FAULTS_A_MINUTE_MAX = 10_000;
export const SEED_MAX = 2 ** 31 - 1;
/** Of a boot, a write, a request: no single duration is longer, however unlucky the draw. */
export const DURATION_MS_MAX = 3_600_000;
/** Of a lognormal duration. */
export const SIGMA_MAX = 4;
/** A message takes up to 0.3 ms, and a host is lost after three beats: shorter ones say nothing about a host. */
export const BEAT_MS_MIN = 10;
export const BEAT_MS_MAX = 3_600_000;
