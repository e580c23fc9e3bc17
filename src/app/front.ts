import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import type { RouterMessage } from '../fleet/mod.ts';
import { type ChildSpec, child, supervisor } from '../supervisor/mod.ts';
import {
  type AdminHandler,
  type Connection,
  type EndpointMessage,
  endpoint,
  type Health,
  type HttpAddress,
  type HttpFrontDoorMessage,
  httpFrontDoor,
  ReplyTokens,
  type RouterRequest,
  type ServeAdminOptions,
  serveAdmin,
} from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import { RestartingRef } from './restarting-ref.ts';
import { version } from './version.ts';

export interface FrontOptions {
  readonly system: ActorSystem;
  readonly connection: Connection;
  readonly fleet: string;
  /** This host, as those that ask every host learn of it. */
  readonly host: NonNullable<ServeAdminOptions['host']>;
  /** Whether clients' requests come to this host. */
  readonly takesRequests: boolean;
  readonly router: Ref<RouterMessage>;
  readonly tokenKey: Uint8Array;
  /** Read at each start of the endpoint, because the parameter may change. */
  readonly deadlineMs: () => number;
  readonly handlers: Readonly<Record<string, AdminHandler>>;
  /** Requests are taken over HTTP, too. */
  readonly http?: { readonly address: HttpAddress; readonly bytesMax: number; readonly health: () => Promise<Health> };
  readonly onEndpoint: (ref: Ref<EndpointMessage>) => void;
}

const RESTARTS = { intensity: 5, periodMs: 60_000 };
const DRAIN_LIMIT_MS = 5_000;
const STOP_MS = DRAIN_LIMIT_MS + 2_000;

export interface Front {
  /** Where requests come over HTTP; undefined if they do not. */
  readonly http: HttpAddress | undefined;
}

/**
 * Starts administration and endpoints. They stop first: no more requests are taken, and those in flight are waited for.
 * @throws HTTP_LISTEN_FAILED, NATS_FORBIDDEN, NATS_UNREACHABLE
 */
export async function startFront(of: FrontOptions, cleanUp: CleanUp): Promise<Front> {
  const { system, connection, fleet } = of;
  const admin = await serveAdmin(connection.nc, fleet, of.handlers, { host: of.host, clock: system.clock });
  cleanUp.add(() => admin.close());
  // A client need not notice that the router is restarted.
  const router = new RestartingRef<RouterRequest>(of.router, system.clock, ({ request }) =>
    request.replyTo.tell({ ok: false, status: 503, reason: 'router-away', message: 'overloaded: the router is away' }),
  );
  const start: Behaviour<EndpointMessage> = (context) =>
    endpoint({
      nc: connection.nc,
      fleet,
      version: version(),
      router,
      takesRequests: of.takesRequests,
      tokenKey: of.tokenKey,
      deadlineMs: of.deadlineMs(),
      drainLimitMs: DRAIN_LIMIT_MS,
    })(context);
  const endpointChild = child<EndpointMessage>({ id: 'endpoint', start, shutdown: STOP_MS, onRef: of.onEndpoint });
  const doors: ChildSpec<HttpFrontDoorMessage>[] = [];
  // After a restart it listens where clients know it, if it was given a free port too.
  let http = of.http?.address;
  if (of.http !== undefined) {
    const { address, ...door } = of.http;
    const startHttp: Behaviour<HttpFrontDoorMessage> = (context) =>
      httpFrontDoor({
        ...door,
        address: http ?? address,
        router,
        tokens: new ReplyTokens(of.tokenKey),
        deadlineMs: of.deadlineMs,
        drainLimitMs: DRAIN_LIMIT_MS,
        onListening: (there) => {
          http = there;
        },
      })(context);
    doors.push(child<HttpFrontDoorMessage>({ id: 'http', start: startHttp, shutdown: STOP_MS }));
  }
  const root = await system.start(
    supervisor({ strategy: 'one_for_one', ...RESTARTS, children: [endpointChild, ...doors] }),
    { name: 'front' },
  );
  cleanUp.add(() => system.stop(root));
  return { http };
}
