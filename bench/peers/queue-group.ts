import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endChild, startChild } from './child.ts';
import { PlainClient } from './plain-client.ts';

const FLEET = 'queue-group';

/** The same VMs behind a NATS queue group, called with the same client as Shoal. */
export class QueueGroup implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #client: PlainClient;

  private constructor(child: ChildProcess, client: PlainClient) {
    this.#child = child;
    this.#client = client;
  }

  static async start(servers: string, addresses: readonly string[]): Promise<QueueGroup> {
    const program = fileURLToPath(new URL('queue-group-member.ts', import.meta.url));
    const child = startChild(process.execPath, [program, servers, `shoal.${FLEET}.process`, ...addresses], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('the queue group has no output');
    await once(child.stdout, 'data');
    return new QueueGroup(child, await PlainClient.open(servers, FLEET));
  }

  request(text: string, op: string): Promise<string> {
    return this.#client.request(text, op);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await endChild(this.#child, 'SIGTERM');
  }
}
