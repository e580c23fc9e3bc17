/** The statuses that Shoal itself gives, as the table of errors in `docs/guest-contract.md` has them; 499 is a request that its client gave up. */
export const SHOAL_STATUSES = [400, 404, 413, 499, 501, 502, 503, 504] as const;

export type ShoalStatus = (typeof SHOAL_STATUSES)[number];

/** A status of Shoal's, or another one from 400 to 499 that a service has chosen. */
export type RequestStatus = number;

/** What Shoal passes on of a guest's code. */
export function statusOfGuest(code: number): RequestStatus {
  if (code >= 400 && code <= 499) return code;
  return SHOAL_STATUSES.find((known) => known === code) ?? 502;
}
