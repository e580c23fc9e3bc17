import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endChild, startChild } from './child.ts';
import { PlainClient } from './plain-client.ts';

/** A NATS service in a Node process of its own, as a fleet of its name, called with the same client as Shoal. */
export class NodeResponder implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #client: PlainClient;

  private constructor(child: ChildProcess, client: PlainClient) {
    this.#child = child;
    this.#client = client;
  }

  /**
   * @param program beside this file; it is given the server, its subject and these arguments, and prints something once it serves
   * @param fleet by whose subject it is called
   */
  static async start(
    program: string,
    fleet: string,
    servers: string,
    args: readonly string[] = [],
  ): Promise<NodeResponder> {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const child = startChild(process.execPath, [path, servers, `shoal.${fleet}.process`, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error(`${program} has no output`);
    await once(child.stdout, 'data');
    return new NodeResponder(child, await PlainClient.open(servers, fleet));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  request(text: string, op = ''): Promise<string> {
    return this.#client.request(text, op);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await endChild(this.#child, 'SIGTERM');
  }
}

/** A service that only echoes. */
export function startEcho(servers: string): Promise<NodeResponder> {
  return NodeResponder.start('echo-responder.ts', 'echo', servers);
}

/** The VMs at those addresses, behind a NATS queue group. */
export function startQueueGroup(servers: string, addresses: readonly string[]): Promise<NodeResponder> {
  return NodeResponder.start('queue-group-member.ts', 'queue-group', servers, addresses);
}
