import { connect } from 'node:net';
import type { Clock } from '../actors/mod.ts';
import { codeOf } from '../errors.ts';
import { isRecord } from '../is-record.ts';

/** The greeting of a NATS server. */
export interface NatsServerInfo {
  readonly name: string;
  readonly version: string;
  readonly maxPayloadBytes: number;
}

/** No NATS server sends a longer first line. */
const INFO_BYTES_MAX = 64 * 1024;

/**
 * Reads the greeting of the server at this address and disconnects. nats.js would keep a socket open forever to a listener that sends
 * nothing, and would report a listener that is no NATS server as a timeout.
 * @throws Error whose message says what listens there instead
 */
export function readServerInfo(host: string, port: number, timeoutMs: number, clock: Clock): Promise<NatsServerInfo> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port });
    const cancel = clock.timer(timeoutMs, () => fail(`nothing was said within ${timeoutMs} ms`));
    const end = (): void => {
      cancel();
      socket.destroy();
    };
    const fail = (why: string): void => {
      end();
      reject(new Error(why));
    };
    socket.on('error', (error) => fail(codeOf(error) === 'ECONNREFUSED' ? 'nothing listens there' : error.message));
    socket.on('close', () => fail('the connection was closed without a greeting'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const lineEnd = received.indexOf('\r\n');
      if (lineEnd === -1 && received.length < INFO_BYTES_MAX) return;
      const info = parseInfo(received.toString('utf8', 0, Math.max(lineEnd, 0)));
      if (info === undefined) {
        fail('what listens there is no NATS server');
        return;
      }
      end();
      resolve(info);
    });
  });
}

function parseInfo(line: string): NatsServerInfo | undefined {
  if (!line.startsWith('INFO ')) return undefined;
  let info: unknown;
  try {
    info = JSON.parse(line.slice(5));
  } catch {
    return undefined;
  }
  if (!isRecord(info)) return undefined;
  const { server_name: name, version, max_payload: maxPayloadBytes } = info;
  if (typeof maxPayloadBytes !== 'number' || maxPayloadBytes <= 0) return undefined;
  return {
    name: typeof name === 'string' ? name : '',
    version: typeof version === 'string' ? version : '',
    maxPayloadBytes,
  };
}
