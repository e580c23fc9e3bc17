import type { NatsConnection } from 'nats';
import { type ActorSystem, createSystem, type Ref } from '../../actors/mod.ts';
import type { Outcome, Request } from '../../fleet/mod.ts';
import { type Connection, connect } from '../connection.ts';
import { type EndpointOptions, endpoint } from '../endpoint.ts';
import type { EndpointCounts, EndpointMessage, RouterRequest } from '../endpoint-messages.ts';
import { TOKEN_KEY_BYTES } from '../reply-token.ts';
import { type RealNatsServer, type RealNatsServerOptions, realNatsServer } from './real-nats-server.ts';

export interface ServedFleetOptions extends Partial<Omit<EndpointOptions, 'nc' | 'fleet' | 'router'>> {
  readonly nats?: RealNatsServerOptions;
}

/** A fleet without VMs: a real nats-server and endpoint, and a function of the test as router. */
export interface ServedFleet extends AsyncDisposable {
  readonly nats: RealNatsServer;
  readonly fleet: string;
  readonly system: ActorSystem;
  readonly endpoint: Ref<EndpointMessage>;
  readonly router: Ref<RouterRequest>;
  /** The connection of the endpoint. */
  readonly connection: Connection;
  /** The connection of the clients. */
  readonly nc: NatsConnection;
  counts(): Promise<EndpointCounts>;
}

const FLEET = 'test';
const ASK_MS = 5_000;

/** `await using fleet = await servedFleet((request) => ...);` */
export async function servedFleet(
  handle: (request: Request) => void,
  { nats: natsOptions, ...endpointOptions }: ServedFleetOptions = {},
): Promise<ServedFleet> {
  const nats = await realNatsServer(natsOptions);
  const system = createSystem();
  const connection = await connect({ servers: nats.url, name: 'test server' });
  const clients = await connect({ servers: nats.url, name: 'test clients' });
  const router = system.spawn<RouterRequest>(() => (message) => handle(message.request), { name: 'router' });
  const options = {
    version: '0.1.0',
    tokenKey: new Uint8Array(TOKEN_KEY_BYTES),
    drainLimitMs: 1_000,
    ...endpointOptions,
  };
  const behaviour = endpoint({ nc: connection.nc, fleet: FLEET, router, ...options });
  const ref = await system.start(behaviour, { name: 'endpoint' });
  return {
    nats,
    fleet: FLEET,
    system,
    endpoint: ref,
    router,
    connection,
    nc: clients.nc,
    counts: () => system.ask<EndpointMessage, EndpointCounts>(ref, (replyTo) => ({ kind: 'counts', replyTo }), ASK_MS),
    [Symbol.asyncDispose]: async () => {
      await system.shutdown();
      await clients.close();
      await connection.close();
      await nats.stop();
    },
  };
}

/** A successful outcome. */
export function processed(payload: Uint8Array, vm = 1, host = 'alpha'): Outcome {
  return { ok: true, payload, vm, host };
}
