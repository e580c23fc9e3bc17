import type { Behaviour, Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { boundFile } from '../../process/mod.ts';
import { type KeepPort, type OwnServer, type OwnServerOptions, startOwnServer } from './own-server.ts';

/** The address and process of our own server. */
export interface NatsServerStatus {
  readonly url: string;
  readonly pid: number;
  readonly adopted: boolean;
  /** The port of an earlier Shoal's server, if another program has it now. */
  readonly portLost: number | undefined;
}

export type NatsServerMessage =
  | { readonly kind: 'status'; readonly replyTo: Ref<NatsServerStatus> }
  /** From now on the end of this actor leaves the server running, for the next Shoal to adopt. */
  | { readonly kind: 'leave' }
  // From the actor itself.
  | { readonly kind: 'died' }
  | { readonly kind: 'bound-log' };

export interface NatsServerActorOptions extends Omit<OwnServerOptions, 'clock' | 'keepPort'> {
  /** Called whenever a server serves: at the start, and after each restart, then at the same address. */
  readonly onServing?: (status: NatsServerStatus) => void;
  /** Called when the server has ended: until `onServing`, a server that answers at its address is another program's. */
  readonly onDied?: () => void;
  /** Called when another program has the port of a server that ended: the actor waits for it. */
  readonly onPortTaken?: (port: number) => void;
}

const BOUND_LOG_MS = 60_000;

/**
 * Our own nats-server as an actor. The server's death is this actor's failure: its supervisor restarts it, and it starts the
 * server on the same port, where clients look for it, as soon as that is free. In order it ends the server, unless told to leave it; that
 * may take 7 s if the server stands still, so give the child a longer shutdown than that.
 */
export function natsServer(options: NatsServerActorOptions): Behaviour<NatsServerMessage> {
  const { onServing, onDied, onPortTaken, ...serverOptions } = options;
  let incarnations = 0;
  let port: number | undefined;
  const portToKeep = (kept: number, signal: AbortSignal): KeepPort => ({
    port: kept,
    onTaken: () => onPortTaken?.(kept),
    signal,
  });
  return async (context) => {
    // Only the first start is fresh; a restart keeps the state.
    const fresh = serverOptions.fresh === true && incarnations++ === 0;
    const keepPort = port === undefined ? undefined : portToKeep(port, context.signal);
    const server = await startOwnServer({
      ...serverOptions,
      fresh,
      clock: context.clock,
      ...(keepPort === undefined ? {} : { keepPort }),
    });
    port = server.port;
    let isLeft = false;
    context.onStop(() => (isLeft ? server.leave() : server.stop()));
    server.onDeath(() => context.self.tell({ kind: 'died' }));
    context.every(BOUND_LOG_MS, () => ({ kind: 'bound-log' }));
    onServing?.(statusOf(server));
    return (message) => {
      switch (message.kind) {
        case 'status':
          message.replyTo.tell(statusOf(server));
          return;
        case 'leave':
          isLeft = true;
          return;
        case 'bound-log':
          // The server goes on with a log that cannot be cut.
          return boundFile(server.logPath).catch(() => undefined);
        case 'died':
          // The state on disk stays: it names the server for the next incarnation.
          isLeft = true;
          onDied?.();
          throw new ShoalError('NATS_SERVER_FAILED', `Our nats-server (process ${server.process.pid}) has ended`);
      }
    };
  };
}

function statusOf({ url, process, adopted, portLost }: OwnServer): NatsServerStatus {
  return { url, pid: process.pid, adopted, portLost };
}
