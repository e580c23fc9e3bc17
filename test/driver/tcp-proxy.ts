import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way between two programs that a test can cut: what is sent meanwhile gets nowhere, and nobody is told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it leads. Known only after the proxy's own port is. */
  target: { readonly host: string; readonly port: number } | undefined;
  cut(): void;
  /** Connections that were held up end; new ones go through. */
  mend(): void;
}

export async function tcpProxy(): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket): void => {
    open.add(socket);
    if (isCut) socket.pause();
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer((from) => {
    keep(from);
    const { target } = proxy;
    if (isCut || target === undefined) return;
    const to = connect(target.port, target.host);
    keep(to);
    from.on('data', (bytes) => to.write(bytes));
    to.on('data', (bytes) => from.write(bytes));
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
    if (isCut) for (const socket of [from, to]) socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    // A server that listens on an address has one.
    port: (server.address() as AddressInfo).port,
    target: undefined,
    cut: () => {
      isCut = true;
      for (const socket of open) socket.pause();
    },
    mend: () => {
      isCut = false;
      for (const socket of open) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
