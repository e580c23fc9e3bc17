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
  /** Id of this instance, new on each start. */
  readonly id: string;
  close(): void;
}

/**
 * Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, also with the service name and with name and id appended (NATS ADR-32). The service
 * framework of nats.js would wrap every request of the endpoint and count only the time until its handler returns.
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
      // A refused subscription only hides the service from `nats micro ls`; the connection reports it (`onForbidden`).
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

/** Never throws: nats.js stops reading when a callback does. */
function respond(message: Msg, answer: object): void {
  try {
    message.respond(JSON.stringify(answer));
  } catch {
    // The connection is closing, so this service is indeed about to be gone.
  }
}
