import type { Clock } from '../../actors/mod.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpClient } from '../link/http/http-client.ts';
import type { GuestConnection } from '../port.ts';
import { isWell } from '../profile/probes.ts';
import type { HttpProbe, ImageProfile } from '../profile/profile.ts';

/** Asks a guest for a sign of life, one question at a time. */
export interface Probe {
  /** Never rejects. @returns whether the answer is a sign of life */
  run(probe: HttpProbe): Promise<boolean>;
  /** Gives up what is under way. */
  close(): void;
}

/** The body of an answer to a probe means nothing. */
const BODY_BYTES_MAX = 64 * 1024;

/** Over HTTP a GET of the probe's path; over frames a ping. */
export function probeOf(profile: ImageProfile, connect: () => GuestConnection, clock: Clock): Probe {
  return profile.protocol === 'http' ? httpProbe(profile, connect, clock) : frameProbe(connect, clock);
}

function httpProbe(profile: ImageProfile, connect: () => GuestConnection, clock: Clock): Probe {
  const client = new HttpClient(connect, BODY_BYTES_MAX, clock);
  return {
    run: ({ path, timeoutMs }) =>
      client.get(path, timeoutMs).then(
        ({ status }) => isWell(profile, status),
        () => false,
      ),
    close: () => client.close(),
  };
}

function frameProbe(connect: () => GuestConnection, clock: Clock): Probe {
  let client: GuestClient | undefined;
  let isClosed = false;
  return {
    async run({ timeoutMs }) {
      try {
        if (client === undefined) client = await GuestClient.open(connect(), timeoutMs, clock);
        else await client.ping(timeoutMs);
        return true;
      } catch {
        client?.close();
        client = undefined;
        return false;
      } finally {
        if (isClosed) client?.close();
      }
    },
    close() {
      isClosed = true;
      client?.close();
    },
  };
}
