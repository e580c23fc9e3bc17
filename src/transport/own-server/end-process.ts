import type { Clock } from '../../actors/mod.ts';
import { type ProcessIdentity, signalProcess, whenGone } from '../../process/mod.ts';

export interface EndLimits {
  /** From SIGTERM to SIGKILL. */
  readonly termMs: number;
  /** From SIGKILL to giving up. */
  readonly killMs: number;
}

/** Ends that very process, by request and then by force. @returns whether it is confirmed gone */
export async function endProcess(identity: ProcessIdentity, limits: EndLimits, clock: Clock): Promise<boolean> {
  signalProcess(identity, 'SIGTERM');
  if (await whenGone(identity, limits.termMs, clock)) return true;
  signalProcess(identity, 'SIGKILL');
  return whenGone(identity, limits.killMs, clock);
}
