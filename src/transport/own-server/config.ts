export const MAX_PAYLOAD_BYTES_DEFAULT = 1024 * 1024;

export interface ServerConfig {
  readonly name: string;
  readonly port: number;
  readonly maxPayloadBytes: number;
  /** The folder of JetStream's files; undefined: no JetStream. */
  readonly storeDirectory: string | undefined;
}

/** Enough for the tables of many hosts. The server refuses more, so that it never fills the disk. */
const STORE_BYTES_MAX = 256 * 1024 * 1024;
const STORE_MEMORY_BYTES_MAX = 16 * 1024 * 1024;

/** The configuration file of our own server: loopback only, no cluster, no monitoring port, log to standard error. */
export function renderConfig({ name, port, maxPayloadBytes, storeDirectory }: ServerConfig): string {
  const lines = [
    '# Written by Shoal for its own nats-server, and removed with it.',
    `server_name: ${JSON.stringify(name)}`,
    `listen: "127.0.0.1:${port}"`,
    `max_payload: ${maxPayloadBytes}`,
  ];
  if (storeDirectory !== undefined) {
    lines.push(
      'jetstream {',
      `  store_dir: ${JSON.stringify(storeDirectory)}`,
      `  max_file_store: ${STORE_BYTES_MAX}`,
      `  max_memory_store: ${STORE_MEMORY_BYTES_MAX}`,
      '}',
    );
  }
  return `${lines.join('\n')}\n`;
}
