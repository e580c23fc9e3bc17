/** The statuses of DESIGN section 7; 499 is a request that its client gave up. */
export type RequestStatus = 400 | 404 | 413 | 499 | 501 | 502 | 503 | 504;
