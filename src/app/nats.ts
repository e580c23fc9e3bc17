import type { ActorSystem } from '../actors/mod.ts';
import type { Launcher } from '../process/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { type Connection, connect, type NatsServerStatus, natsServer } from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import type { UpOptions } from './up-options.ts';

/** The way to other processes: the launcher starts them, NATS talks to them. */
export interface Nats {
  readonly launcher: Launcher;
  readonly connection: Connection;
}

/** A nats-server that keeps dying is no passing trouble. */
const RESTARTS = { intensity: 5, periodMs: 10_000 };

/** Above its ladder of SIGTERM and SIGKILL. */
const STOP_MS = 10_000;

/** Starts or adopts our own nats-server unless one is named, and connects. */
export async function startNats(
  options: UpOptions,
  data: DataDir,
  system: ActorSystem,
  launcher: Launcher,
  cleanUp: CleanUp,
): Promise<Nats> {
  const url = options.nats ?? (await startOwnServer(options, data, system, launcher, cleanUp));
  const connection = await connect({ servers: url, name: `shoal-server-${options.fleet}` });
  cleanUp.add(() => connection.close());
  return { launcher, connection };
}

async function startOwnServer(
  options: UpOptions,
  data: DataDir,
  system: ActorSystem,
  spawner: Launcher,
  cleanUp: CleanUp,
): Promise<string> {
  const serving = Promise.withResolvers<NatsServerStatus>();
  const start = natsServer({
    directory: data.folder('nats'),
    spawner,
    fresh: options.fresh,
    onServing: serving.resolve,
  });
  const root = await system.start(
    supervisor({ strategy: 'one_for_one', ...RESTARTS, children: [child({ id: 'server', start, shutdown: STOP_MS })] }),
    {
      name: 'nats',
    },
  );
  cleanUp.add(() => system.stop(root));
  const { url, pid, adopted } = await serving.promise;
  options.onProgress(`nats-server ${adopted ? 'adopted' : 'runs'} at ${url} (pid ${pid})`);
  return url;
}
