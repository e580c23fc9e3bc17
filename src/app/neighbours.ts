import type { Clock } from '../actors/mod.ts';
import type { NeighbourMessage, NeighbourPort } from '../fleet/mod.ts';
import { GIVEN_UP, type HostEvent, type HostPort, type Hosts, RELINKED } from '../remote/mod.ts';
import { type Connection, ReplySender, type ReplyTokens } from '../transport/mod.ts';

/** Why the link to a host is lost that lives, and is back in a moment. */
const ALIVE: ReadonlySet<unknown> = new Set([GIVEN_UP, RELINKED]);

/** The name under which the router of each host is reached. */
const ROUTER = 'router';

/**
 * Where a kept reply goes that outlives the Shoal which worked for another host: nowhere. The host that took the request in has given it to
 * somebody else by then, or told its client that it failed.
 */
const NOBODY = 'shoal.handed';

export interface NeighboursOptions {
  readonly hosts: Hosts;
  /** The one that `hosts` uses: so links that are to be made anew are known before the connection is back. */
  readonly port: HostPort;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly tokens: ReplyTokens;
  /** The connection was reset with replies that nobody has shown to have. */
  readonly onTakenBack?: (hosts: readonly string[]) => void;
}

/** The routers of the other hosts, by way of the group of hosts. */
export function neighboursOn({
  hosts,
  port,
  connection,
  clock,
  tokens,
  onTakenBack,
}: NeighboursOptions): NeighbourPort {
  const { nc } = connection;
  const sender = new ReplySender(nc, clock, () => undefined);
  let published = 0;
  let taken = 0;
  let isAsking = false;
  let isReset = false;
  const listeners = new Set<() => void>();
  port.onState((isConnected) => {
    if (isConnected) return;
    isReset = false;
    // It would leave over the next connection, when its host has been given it.
    sender.discard();
    for (const lost of listeners) lost();
  });
  const answered = (upTo: number): void => {
    isAsking = false;
    taken = Math.max(taken, upTo);
  };
  return {
    join: (router, adapt) => {
      const unexpose = hosts.expose(ROUTER, router);
      // By an adapter, and not by an actor between: what a host sends must not overtake the news that it is up, or lost.
      const unsubscribe = hosts.subscribe(adapt((event: HostEvent) => newsOf(event, hosts)));
      return () => {
        unexpose();
        unsubscribe();
      };
    },
    publish: (subject, outcome) => {
      // Without a connection, nats.js would send it later, when another host may have answered.
      if (!port.isConnected || isReset) return undefined;
      sender.send(subject, outcome);
      published += 1;
      return published;
    },
    get published() {
      return published;
    },
    get taken() {
      return taken;
    },
    confirm: () => {
      if (isAsking || !port.isConnected) return;
      isAsking = true;
      // The server answers in order: it has all that was sent before.
      sender.flush();
      const upTo = published;
      nc.flush().then(
        () => answered(upTo),
        () => answered(0),
      );
    },
    takeBack: (names) => {
      for (const name of names) hosts.relink(name);
      if (!port.isConnected) return;
      isReset = true;
      connection.reset();
      onTakenBack?.(names);
    },
    onLost: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    seal: (request) => tokens.sealAt(NOBODY, request),
  };
}

/** Whether a kept reply is of a request that another host took in. */
export function isHanded(token: { readonly subject: string } | undefined): boolean {
  return token?.subject === NOBODY || token?.subject.startsWith(`${NOBODY}.`) === true;
}

function newsOf(event: HostEvent, hosts: Hosts): NeighbourMessage {
  switch (event.kind) {
    case 'host-up':
      try {
        return { kind: 'neighbour-up', host: event.host, ref: hosts.ref<NeighbourMessage>(event.host, ROUTER) };
      } catch (error) {
        // It is lost again; that is told next.
        return { kind: 'neighbour-lost', host: event.host, why: String(error) };
      }
    case 'host-lost': {
      const { host, error } = event;
      return { kind: 'neighbour-lost', host, why: error.message, isThere: ALIVE.has(error.details['why']) };
    }
    default:
      return { kind: 'tell-figures' };
  }
}
