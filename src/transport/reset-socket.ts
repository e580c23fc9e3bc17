import { type Socket, Socket as TcpSocket } from 'node:net';
import type { NatsConnection } from 'nats';

/**
 * Ends the TCP connection under a connection to NATS with a reset: what the kernel has not delivered yet it forgets. After an ordinary end
 * it would go on to deliver that for minutes. nats.js finds the connection lost.
 * @returns false if there is no connection at the moment, or none that can be reset
 */
export function resetSocket(nc: NatsConnection): boolean {
  // Private fields of nats.js 2. In another version the test of this file fails.
  const { protocol } = nc as { protocol?: { transport?: { socket?: unknown } } };
  const socket = tcpOf(protocol?.transport?.socket);
  if (socket === undefined || socket.destroyed) return false;
  try {
    socket.resetAndDestroy();
    return true;
  } catch {
    // It is no TCP connection.
    return false;
  }
}

/** The connection that TLS runs over, which alone can be reset. */
function tcpOf(socket: unknown): Socket | undefined {
  if (!(socket instanceof TcpSocket)) return undefined;
  // A private field of Node's TLSSocket.
  const { _parent: parent } = socket as { _parent?: unknown };
  return parent instanceof TcpSocket ? parent : socket;
}
