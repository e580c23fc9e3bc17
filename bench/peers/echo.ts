import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endChild, startChild } from './child.ts';
import { PlainClient } from './plain-client.ts';

const FLEET = 'echo';

/** An echo service in a process of its own, as the fleet `echo`, called with the same client as Shoal. */
export class Echo implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #client: PlainClient;

  private constructor(child: ChildProcess, client: PlainClient) {
    this.#child = child;
    this.#client = client;
  }

  static async start(servers: string): Promise<Echo> {
    const program = fileURLToPath(new URL('echo-responder.ts', import.meta.url));
    const child = startChild(process.execPath, [program, servers, `shoal.${FLEET}.process`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('the echo has no output');
    await once(child.stdout, 'data');
    return new Echo(child, await PlainClient.open(servers, FLEET));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  request(text: string): Promise<string> {
    return this.#client.request(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await endChild(this.#child, 'SIGTERM');
  }
}
