import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SHOAL = join(import.meta.dirname, '..', 'bin', 'shoal');
/** More than any start or stop takes; Shoal's own limits are below. */
const START_MS = 90_000;
const STOP_MS = 60_000;
const STDERR_CHARS_MAX = 10_000;

/** What `shoal up -o json` prints when it is ready. */
interface Ready {
  readonly nats: string;
  readonly fleet: string;
  readonly accelerator: string;
}

/** A `shoal up` in a temporary directory, with addresses that hardly anybody else uses. */
export class OwnFleet {
  readonly data: string;
  readonly pool: string;
  readonly #settings: readonly string[];
  readonly #lost = new AbortController();
  #up: ChildProcess | undefined;
  #stderr = '';
  #stopping: Promise<void> | undefined;

  /** @param settings flags of `up` */
  constructor(addresses: number, settings: readonly string[]) {
    this.data = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-demo-')));
    const network = `127.${randomInt(16, 250)}.${randomInt(0, 250)}`;
    this.pool = `${network}.1-${network}.${addresses}:9000`;
    this.#settings = settings;
  }

  /** Aborted, with the reason, if `up` ends though nobody has told it to. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws Error with what `up` said, if it ends instead */
  start(signal: AbortSignal): Promise<Ready> {
    return this.#start(this.#settings, signal);
  }

  /** Ends it, and whatever it started, and removes its directory. Stopping twice is stopping once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Cuts a stop short that is under way. */
  hurry(): void {
    if (this.#stopping !== undefined) this.#up?.kill('SIGINT');
  }

  async #start(flags: readonly string[], signal: AbortSignal): Promise<Ready> {
    const args = ['up', '-o', 'json', '--data', this.data, '--pool', this.pool, ...flags];
    // In a session of its own: Ctrl-C reaches only the demo, which then stops the fleet in order.
    const up = spawn(SHOAL, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#up = up;
    up.stderr.on('data', (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString()).slice(-STDERR_CHARS_MAX);
    });
    const lines = createInterface({ input: up.stdout });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const ended = once(up, 'close').then(() => {
      const death = new Error(`shoal up has ended by itself; the last that it said:\n${this.#stderr.trimEnd()}`);
      if (this.#stopping === undefined) this.#lost.abort(death);
      throw death;
    });
    // Nobody awaits it once the first line has come.
    ended.catch(() => undefined);
    // `once` of an emitter resolves with the arguments of the event.
    const [line] = (await Promise.race([once(lines, 'line', { signal: limit }), ended])) as [string];
    // The form of this line is held by tests.
    return JSON.parse(line) as Ready;
  }

  async #stop(): Promise<void> {
    try {
      if (await this.#end()) return;
      // The next Shoal on the directory ends what a dead one has left. One that cannot start has left nothing.
      await this.#start(['--fresh'], AbortSignal.timeout(START_MS)).catch(() => undefined);
      await this.#end();
    } finally {
      rmSync(this.data, { recursive: true, force: true });
    }
  }

  /** @returns whether it ended because we told it to, without a failure */
  async #end(): Promise<boolean> {
    const up = this.#up;
    if (up === undefined) return true;
    if (up.exitCode !== null || up.signalCode !== null) return up.exitCode === 0;
    const ended = once(up, 'close', { signal: AbortSignal.timeout(STOP_MS) });
    up.kill('SIGINT');
    await ended.catch(() => up.kill('SIGKILL'));
    return up.exitCode === 0;
  }
}
