import { isShoalStatus, type RequestStatus, type ShoalStatus } from './request-status.ts';

/**
 * Why a VM ends, by the word that events, `ps`, `inspect` and JSON show. The set is closed: programs may match on it. `docs/errors.md`
 * explains each word, and a test holds the two equal.
 */
export const VM_END_REASONS = [
  // Shoal ends it.
  'idle',
  'failing',
  'silent',
  'boot-timeout',
  'lease-lapsed',
  'not-reserved',
  'address-conflict',
  'spare-surplus',
  // An administrator has it ended.
  'drained',
  'removed',
  'restarted',
  'deployed',
  'rolled-back',
  'scaled-down',
  'shoal-stopped',
  'started-afresh',
  // The host could not make it, or its guest cannot be used.
  'prepare-failed',
  'address-taken',
  'start-failed',
  'contract-broken',
  // It ended by itself.
  'guest-stopped',
  'guest-powered-off',
  'guest-refused',
  'guest-panicked',
  'guest-reset',
  'guest-bye',
  'killed',
  'qemu-exited',
  // How it ended was not seen.
  'process-gone',
  'orphaned',
  'not-on-host',
] as const;

export type VmEndReason = (typeof VM_END_REASONS)[number];

/** Why a request ends, by the word that reply headers, `shoal explain` and JSON show, with the status of its reply. Closed as well. */
export const REQUEST_END_REASONS = {
  replied: undefined,
  'bad-request': 400,
  'id-reused': 400,
  'operation-unknown': 404,
  'too-large': 413,
  cancelled: 499,
  'not-implemented': 501,
  'guest-failed': 502,
  'vm-lost': 502,
  'link-lost': 502,
  'host-lost': 502,
  poison: 502,
  'queue-full': 503,
  'repeats-full': 503,
  'endpoint-full': 503,
  'guest-busy': 503,
  'router-away': 503,
  'shoal-stopping': 503,
  'expired-on-arrival': 504,
  'expired-in-line': 504,
  'expired-on-vm': 504,
  // No reply has come, so only the client can tell.
  'no-reply': undefined,
  'no-responders': undefined,
} as const satisfies Readonly<Record<string, ShoalStatus | undefined>>;

export type RequestEndReason = keyof typeof REQUEST_END_REASONS;

/** Those of an error reply. */
export type FailureReason = {
  [Reason in RequestEndReason]: (typeof REQUEST_END_REASONS)[Reason] extends ShoalStatus ? Reason : never;
}[RequestEndReason];

const OF_GUESTS: Readonly<Record<ShoalStatus, FailureReason>> = {
  400: 'bad-request',
  404: 'operation-unknown',
  413: 'too-large',
  499: 'cancelled',
  501: 'not-implemented',
  502: 'guest-failed',
  503: 'guest-busy',
  504: 'expired-on-vm',
};

/** Why a request has ended that its guest, or the link to it, answered with that status. */
export function reasonOfGuest(status: RequestStatus): FailureReason {
  return isShoalStatus(status) ? OF_GUESTS[status] : 'bad-request';
}

/** Why requests wait for a VM, by the word that events show. Closed as well. */
export const WAIT_REASONS = [
  'host-away',
  'vm-starting',
  'no-address',
  'no-memory',
  'crash-loop',
  'no-vm-id',
  'all-busy',
] as const;

export type WaitReason = (typeof WAIT_REASONS)[number];

/** Any of the words. */
export type ReasonWord = VmEndReason | RequestEndReason | WaitReason;
