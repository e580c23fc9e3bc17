import type { FleetEvent, FleetSnapshot } from '../../fleet/mod.ts';
import { realNatsServer } from '../../transport/kit/mod.ts';
import { type AdminHandler, type AdminServer, connect, serveAdmin, subjectsOf } from '../../transport/mod.ts';
import { snapshotOf, vmRow } from './facts.ts';

const FLEET = 'stub';

/** A fleet of which there is nothing but its answers, on a real nats-server. */
export interface StubFleet extends AsyncDisposable {
  readonly place: { readonly servers: string; readonly fleet: string };
  /** The flags by which a command finds it. */
  readonly flags: readonly string[];
  readonly snapshot: FleetSnapshot;
  /** What it remembers. */
  readonly events: FleetEvent[];
  publish(event: FleetEvent): void;
  /** Nobody serves it until it is started again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** @param handlers answers of its own instead of a Shoal's, by verb */
export async function stubFleet(handlers: Readonly<Record<string, AdminHandler>> = {}): Promise<StubFleet> {
  const nats = await realNatsServer();
  const connection = await connect({ servers: nats.url, name: 'stub-fleet' });
  const events: FleetEvent[] = [];
  const snapshot = snapshotOf([vmRow(1)]);
  let server: AdminServer | undefined;
  const start = async (): Promise<void> => {
    const verbs = {
      version: () => Promise.resolve({}),
      ps: () => Promise.resolve(snapshot),
      // The commands ask with this argument.
      events: (args: unknown) => Promise.resolve(events.slice(-(args as { count: number }).count)),
      ...handlers,
    };
    const host = { name: 'stub', others: () => ({ up: [], lost: [] }) };
    server = await serveAdmin(connection.nc, FLEET, verbs, { host });
  };
  await start();
  return {
    place: { servers: nats.url, fleet: FLEET },
    flags: ['--nats', nats.url, '--fleet', FLEET],
    snapshot,
    events,
    start,
    stop: async () => server?.close(),
    publish: (event) => {
      events.push(event);
      connection.nc.publish(subjectsOf(FLEET).events, JSON.stringify(event));
    },
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await nats.stop();
    },
  };
}
