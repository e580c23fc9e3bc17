import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** The directions of traffic, as the client behind the proxy sees them. */
export type Way = 'out' | 'in';

interface Side {
  readonly from: Socket;
  readonly to: Socket;
  readonly way: Way;
  /** What was sent while the way was cut. A real network loses it, and the sender's kernel has it to send again. */
  held: Buffer[];
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly sides: readonly Side[];
}

/** A way between two programs that a test can cut: what is sent meanwhile gets nowhere, and nobody is told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it leads. It may be known only after the proxy's own port is. */
  target: { readonly host: string; readonly port: number } | undefined;
  /** @param ways default: both */
  cut(...ways: readonly Way[]): void;
  /** What was held up goes on, as TCP sends again what was lost, unless its sender has reset the connection. */
  heal(): void;
  /** Connections end; new ones go through. */
  mend(): void;
}

/** `await using proxy = await tcpProxy();` */
export async function tcpProxy(target?: TcpProxy['target']): Promise<TcpProxy> {
  const cut = new Set<Way>();
  const pairs = new Set<Pair>();
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
    const server = createConnection(proxy.target);
    const sides: readonly Side[] = [
      { from: client, to: server, way: 'out', held: [] },
      { from: server, to: client, way: 'in', held: [] },
    ];
    const pair = { client, server, sides };
    pairs.add(pair);
    for (const side of sides) {
      const { from, to, way } = side;
      // It is read also while the way is cut: bytes in the proxy's own buffers would outlive the reset of their connection.
      from.on('data', (bytes) => {
        if (cut.has(way)) side.held.push(bytes);
        else to.write(bytes);
      });
      from.on('error', () => {
        side.held = [];
      });
      // While the way is cut, neither side learns that the other has closed.
      from.on('close', () => {
        if (cut.size === 0) end(pair);
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const proxy: TcpProxy = {
    // A server that listens on an address has one.
    port: (listener.address() as AddressInfo).port,
    target,
    cut: (...ways) => {
      for (const way of ways.length === 0 ? (['out', 'in'] as const) : ways) cut.add(way);
    },
    heal: () => {
      cut.clear();
      for (const pair of [...pairs]) {
        for (const { to, held } of pair.sides) for (const bytes of held.splice(0)) to.write(bytes);
        if (!pair.client.closed && !pair.server.closed) continue;
        // After what was held up.
        pair.client.end(() => pair.client.destroy());
        pair.server.end(() => pair.server.destroy());
        pairs.delete(pair);
      }
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
