/** The statuses that Shoal itself gives, as the table of errors in `docs/guest-contract.md` has them; 499 is a request that its client gave up. */
const SHOAL_STATUSES = [400, 404, 413, 499, 501, 502, 503, 504] as const;

export type ShoalStatus = (typeof SHOAL_STATUSES)[number];

/** A status of Shoal's, or another one from 400 to 499 that a service has chosen. */
export type RequestStatus = number;

export function isShoalStatus(code: number): code is ShoalStatus {
  return SHOAL_STATUSES.some((known) => known === code);
}

/** What Shoal passes on of a guest's code. */
export function statusOfGuest(code: number): RequestStatus {
  return (code >= 400 && code <= 499) || isShoalStatus(code) ? code : 502;
}
