import { systemClock } from '../../actors/mod.ts';
import { readServerInfo } from '../server-info.ts';

const GREETING_MS = 10_000;
const BETWEEN_LOOKS_MS = 20;

/** Resolves when a nats-server answers there. */
export async function greeted(host: string, port: number): Promise<void> {
  for (let leftMs = GREETING_MS; ; leftMs -= BETWEEN_LOOKS_MS) {
    try {
      await readServerInfo(host, port, GREETING_MS, systemClock);
      return;
    } catch (error) {
      if (leftMs <= 0) throw error;
    }
    await new Promise<void>((resolve) => systemClock.timer(BETWEEN_LOOKS_MS, resolve));
  }
}
