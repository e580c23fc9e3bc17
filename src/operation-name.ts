/** An operation of the guest contract (docs/guest-contract.md, `ops` of the ready line). */
export const OPERATION_NAME = /^[a-z0-9._-]{1,64}$/;
/** How many a guest may name. */
export const OPERATIONS_MAX = 64;
