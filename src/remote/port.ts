/**
 * What hosts need of the network: subjects that are published and subscribed to, as NATS has them. Messages may be
 * lost, doubled and late.
 */
export interface HostPort {
  /** While this is false nothing is published: it would wait at the client, without a limit. */
  readonly isConnected: boolean;
  /** The largest message that the server takes now. */
  readonly payloadBytesMax: number;
  publish(subject: string, bytes: Uint8Array): void;
  /** @returns how to end it */
  subscribe(subject: string, onMessage: (bytes: Uint8Array) => void): () => void;
  /** Tells of each change of `isConnected`. @returns how to end it */
  onState(listener: (isConnected: boolean) => void): () => void;
  /** Tells of each subject that the server refuses to this connection, if the port knows. @returns how to end it */
  onRefused?(listener: (subject: string, why: string) => void): () => void;
}
