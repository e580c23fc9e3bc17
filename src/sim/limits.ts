/** What a scenario may have, whether flags or a file describe it: what a seed fails with can be repeated from a file. */
export const RUN_MS_MAX = 400 * 86_400_000;
/** Requests a second. */
export const RATE_MAX = 1_000_000;
/** Of one kind, in a simulated minute. */
export const FAULTS_A_MINUTE_MAX = 10_000;
