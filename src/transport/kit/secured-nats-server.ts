import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../actors/mod.ts';
import { signalProcess, whenGone } from '../../process/mod.ts';
import { freePort } from '../own-server/free-port.ts';
import { findNatsServer } from '../own-server/program.ts';
import { directSpawner } from './direct-spawner.ts';
import { greeted } from './greeted.ts';

const GONE_MS = 5_000;
/** The kernel may take a moment to close a port after its process. */
const PORT_PATIENCE_MS = 2_000;

export interface SecuredNatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/**
 * A nats-server with configuration `lines` of the test, such as its users; it ends with the test.
 * @param preferredPort the port of an earlier server; default any free port
 */
export async function securedNatsServer(lines: readonly string[], preferredPort = 0): Promise<SecuredNatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-nats-'));
  const port = await freePort(preferredPort, PORT_PATIENCE_MS, systemClock);
  const config = join(directory, 'nats.conf');
  await writeFile(config, [`listen: "127.0.0.1:${port}"`, ...lines, ''].join('\n'));
  const stderrPath = join(directory, 'nats.log');
  const spawner = directSpawner();
  const server = await spawner.spawn({ command: findNatsServer(), args: ['-c', config], cwd: directory, stderrPath });
  const stop = async (): Promise<void> => {
    signalProcess(server, 'SIGKILL');
    await whenGone(server, GONE_MS, systemClock);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await greeted('127.0.0.1', port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, url: `nats://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}
