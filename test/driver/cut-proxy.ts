import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** The ways of traffic through the proxy, as the client behind it sees them. */
export type Way = 'out' | 'in';

/** A way to a server that can be cut: what is sent meanwhile stays where it is, as while packets are lost and sent anew by TCP. */
export interface CutProxy extends AsyncDisposable {
  readonly url: string;
  cut(...ways: readonly Way[]): void;
  heal(): void;
}

/** `await using way = await cutProxy(server);` */
export async function cutProxy(target: { readonly url: string }): Promise<CutProxy> {
  const { hostname: host, port: serverPort } = new URL(target.url);
  const cut = new Set<Way>();
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  const apply = (): void => {
    for (const { client, server } of pairs) {
      if (cut.has('out')) client.pause();
      else client.resume();
      if (cut.has('in')) server.pause();
      else server.resume();
    }
  };
  const listener = createServer((client) => {
    const server = createConnection({ host, port: Number(serverPort) });
    const pair = { client, server };
    pairs.add(pair);
    const close = (): void => {
      // While the way is cut, neither side learns that the other has closed.
      if (cut.size > 0) return;
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', close);
      from.on('close', close);
    }
    apply();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  // A listening server of `net` has such an address.
  const { port } = listener.address() as AddressInfo;
  return {
    url: `nats://127.0.0.1:${port}`,
    cut: (...ways) => {
      for (const way of ways) cut.add(way);
      apply();
    },
    heal: () => {
      cut.clear();
      for (const pair of pairs) {
        if (!pair.client.closed && !pair.server.closed) continue;
        pairs.delete(pair);
        pair.client.destroy();
        pair.server.destroy();
      }
      apply();
    },
    [Symbol.asyncDispose]: async () => {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      listener.close();
      await once(listener, 'close');
    },
  };
}
