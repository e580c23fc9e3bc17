import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Connection, connect, createRequester, type Requester } from '../../src/transport/mod.ts';

/** An echo in a process of its own, called with the same client as Shoal: the fleet `echo`, whose service only answers. */
export class Echo implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #connection: Connection;
  readonly #requester: Requester;

  private constructor(child: ChildProcess, connection: Connection) {
    this.#child = child;
    this.#connection = connection;
    this.#requester = createRequester(connection.nc, { fleet: 'echo' });
  }

  static async start(servers: string): Promise<Echo> {
    const program = fileURLToPath(new URL('echo-responder.ts', import.meta.url));
    const child = spawn(process.execPath, [program, servers, 'shoal.echo.process'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('the echo has no output');
    await once(child.stdout, 'data');
    return new Echo(child, await connect({ servers, name: 'bench-echo' }));
  }

  async request(text: string): Promise<string> {
    const { payload } = await this.#requester.request(new TextEncoder().encode(text), {});
    return new TextDecoder().decode(payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#requester.close();
    await this.#connection.close();
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}
