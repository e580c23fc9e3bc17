import { type Msg, type NatsConnection, nuid, type Subscription } from 'nats';
import type { EndpointReport } from './endpoint-stats.ts';
import { isReplySubject } from './reply-subject.ts';

export const SERVICE_NAME = 'shoal';

export interface ServiceDescription {
  /** Semantic version of Shoal. */
  readonly version: string;
  readonly fleet: string;
  readonly endpoint: {
    readonly name: string;
    readonly subject: string;
    readonly queue: string;
    readonly report: () => EndpointReport;
  };
}

export interface Discovery {
  /** The service's own id, new at each start. */
  readonly id: string;
  close(): void;
}

/**
 * Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, each also for this name and for this name and id, as the NATS services protocol
 * (ADR-32) says. Our own, because the service framework of nats.js wraps every request of the endpoint and counts only until the
 * handler returns.
 */
export function serveDiscovery(nc: NatsConnection, description: ServiceDescription, startedMs: number): Discovery {
  const { version, fleet, endpoint } = description;
  const id = nuid.next();
  const identity = { name: SERVICE_NAME, id, version, metadata: { fleet } };
  const address = { name: endpoint.name, subject: endpoint.subject, queue_group: endpoint.queue };
  const verbs: Readonly<Record<string, () => object>> = {
    PING: () => ({ ...identity, type: 'io.nats.micro.v1.ping_response' }),
    INFO: () => ({
      ...identity,
      type: 'io.nats.micro.v1.info_response',
      description: `Runs requests on the VMs of the fleet ${fleet}`,
      endpoints: [{ ...address, metadata: {} }],
    }),
    STATS: () => ({
      ...identity,
      type: 'io.nats.micro.v1.stats_response',
      started: new Date(startedMs).toISOString(),
      endpoints: [{ ...address, ...endpoint.report() }],
    }),
  };
  const subscriptions: Subscription[] = [];
  for (const [verb, answer] of Object.entries(verbs)) {
    const callback = (error: Error | null, message: Msg): void => {
      // A subscription that is refused hides the service from `nats micro ls`, and is told by the connection (`onForbidden`).
      if (error === null && isReplySubject(message.reply ?? '')) respond(message, answer());
    };
    for (const suffix of ['', `.${SERVICE_NAME}`, `.${SERVICE_NAME}.${id}`]) {
      subscriptions.push(nc.subscribe(`$SRV.${verb}${suffix}`, { callback }));
    }
  }
  return {
    id,
    close: () => {
      if (nc.isClosed()) return;
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** Nothing may be thrown into nats.js: it would stop reading. */
function respond(message: Msg, answer: object): void {
  try {
    message.respond(JSON.stringify(answer));
  } catch {
    // The connection is closing; whoever asked sees one service less, which is the truth.
  }
}
