import { BYTES_TYPE, TEXT_TYPE } from '../../../fleet/mod.ts';
import { isWell, probesOf } from '../../profile/probes.ts';
import type { ImageProfile } from '../../profile/profile.ts';

/** How a guest is spoken to that takes requests over HTTP. */
export interface HttpSettings {
  /** Asked whether the guest takes requests, and then whether it lives. */
  readonly readiness: ProbeSettings;
  readonly liveness: ProbeSettings;
  /** Of a request that says none. */
  readonly contentType: string;
  /** A request's own goes with it. */
  readonly takesTypes?: boolean;
  /** Whether an answer of that status to a probe is a sign of life. */
  isWell(status: number): boolean;
  /** Connections for requests; one more is there for probes. */
  connectionsMax(): number;
}

export interface ProbeSettings {
  readonly path: string;
  readonly timeoutMs: number;
}

export const CONTENT_TYPES = { text: TEXT_TYPE, bytes: BYTES_TYPE };

/**
 * @param connectionsMax asked each time, because parameters change
 * @returns undefined if the guest speaks frames
 */
export function httpSettingsOf(profile: ImageProfile, connectionsMax: () => number): HttpSettings | undefined {
  if (profile.protocol !== 'http') return undefined;
  const contentType = CONTENT_TYPES[profile.payload];
  const takesTypes = profile.payload === 'bytes';
  return { ...probesOf(profile), contentType, takesTypes, isWell: (status) => isWell(profile, status), connectionsMax };
}
