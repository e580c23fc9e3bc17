import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** The directions of traffic, as the client behind the proxy sees them. */
export type Way = 'out' | 'in';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A way between two programs that a test can cut: what is sent meanwhile gets nowhere, and nobody is told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it leads. It may be known only after the proxy's own port is. */
  target: { readonly host: string; readonly port: number } | undefined;
  /** @param ways default: both */
  cut(...ways: readonly Way[]): void;
  /** What was held up goes on, as TCP sends again what was lost. */
  heal(): void;
  /** Connections end; new ones go through. */
  mend(): void;
}

/** `await using proxy = await tcpProxy();` */
export async function tcpProxy(target?: TcpProxy['target']): Promise<TcpProxy> {
  const cut = new Set<Way>();
  const pairs = new Set<Pair>();
  const apply = (): void => {
    for (const { client, server } of pairs) {
      if (cut.has('out')) client.pause();
      else client.resume();
      if (cut.has('in')) server.pause();
      else server.resume();
    }
  };
  const end = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  };
  const listener = createServer((client) => {
    client.on('error', () => undefined);
    if (proxy.target === undefined) {
      client.destroy();
      return;
    }
    const pair = { client, server: createConnection(proxy.target) };
    pairs.add(pair);
    pair.server.on('error', () => undefined);
    for (const [from, to] of [
      [client, pair.server],
      [pair.server, client],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      // While the way is cut, neither side learns that the other has closed.
      from.on('close', () => {
        if (cut.size === 0) end(pair);
      });
    }
    apply();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const proxy: TcpProxy = {
    // A server that listens on an address has one.
    port: (listener.address() as AddressInfo).port,
    target,
    cut: (...ways) => {
      for (const way of ways.length === 0 ? (['out', 'in'] as const) : ways) cut.add(way);
      apply();
    },
    heal: () => {
      cut.clear();
      for (const pair of [...pairs]) if (pair.client.closed || pair.server.closed) end(pair);
      apply();
    },
    mend: () => {
      cut.clear();
      for (const pair of [...pairs]) end(pair);
    },
    [Symbol.asyncDispose]: async () => {
      for (const pair of [...pairs]) end(pair);
      listener.close();
      await once(listener, 'close');
    },
  };
  return proxy;
}
