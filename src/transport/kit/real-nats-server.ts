import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../actors/mod.ts';
import { type ProcessIdentity, signalProcess, whenGone } from '../../process/mod.ts';
import { startOwnServer } from '../own-server/own-server.ts';
import { directSpawner } from './direct-spawner.ts';

export interface RealNatsServerOptions {
  /** Default false. */
  readonly jetStream?: boolean;
  readonly maxPayloadBytes?: number;
}

/** A nats-server for one test, on a free loopback port and in a directory of its own; it ends with the test. */
export interface RealNatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: ProcessIdentity;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP pauses it, SIGCONT resumes it. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it and removes its directory. A second call does nothing. */
  stop(): Promise<void>;
}

const GONE_MS = 5_000;

/** `await using nats = await realNatsServer();` */
export async function realNatsServer(options: RealNatsServerOptions = {}): Promise<RealNatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-nats-'));
  const { jetStream = false, maxPayloadBytes } = options;
  const server = await startOwnServer({
    directory,
    spawner: directSpawner(),
    preferredPort: 0,
    jetStream,
    ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }),
  }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    url: server.url,
    port: server.port,
    process: server.process,
    kill: async () => {
      signalProcess(server.process, 'SIGKILL');
      await whenGone(server.process, GONE_MS, systemClock);
    },
    signal: (signal) => {
      signalProcess(server.process, signal);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
