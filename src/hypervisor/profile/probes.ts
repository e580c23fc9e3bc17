import type { HttpProbe, ImageProfile } from './profile.ts';

export type { HttpProbe } from './profile.ts';

/** How a guest is probed whose profile names no probe: any answer that is no failure of the server is a sign of life. */
const STANDARD: HttpProbe = { path: '/', intervalMs: 1_000, timeoutMs: 1_000, failures: 3 };
/** A guest that boots is asked more often: the VM is of use once it has answered. */
const BOOT_INTERVAL_MS = 100;

export interface Probes {
  readonly readiness: HttpProbe;
  readonly liveness: HttpProbe;
}

export function probesOf({ readiness, liveness }: ImageProfile): Probes {
  return {
    readiness: readiness ?? { ...(liveness ?? STANDARD), intervalMs: BOOT_INTERVAL_MS },
    liveness: liveness ?? readiness ?? STANDARD,
  };
}

/** Whether the answer to a probe is a sign of life. A path that the profile names is there to tell: 200 to 299. */
export function isWell(profile: ImageProfile, status: number): boolean {
  const isNamed = profile.readiness !== undefined || profile.liveness !== undefined;
  return isNamed ? status >= 200 && status < 300 : status < 500;
}
