/** How far a deploy is: `deployed` and `rolled-back` are its ends. */
export type DeployPhase = 'canary' | 'rolling' | 'rolling-back' | 'deployed' | 'rolled-back';

/** The replacement of one image by another on one host. Durable before a VM of the new image is started. */
export interface DeployState {
  /** When it was asked for, milliseconds since the epoch: tells one deploy from the next. */
  readonly id: number;
  /** SHA-256 of the image that is wanted. */
  readonly image: string;
  /** SHA-256 of the image that ran before. */
  readonly before: string;
  /** VMs of the new image that serve for a while before the rest follow; 0: none. */
  readonly canary: number;
  /** How long they serve, at the most. */
  readonly canaryMs: number;
  readonly phase: DeployPhase;
  /** Of a roll-back: why. */
  readonly why: string | null;
}

/** Canaries that have answered so many requests need not serve any longer. */
export const CANARY_ANSWERS = 1_000;

export function isRunning({ phase }: Pick<DeployState, 'phase'>): boolean {
  return phase !== 'deployed' && phase !== 'rolled-back';
}

/** As people tell images apart. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}
