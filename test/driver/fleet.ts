import { randomInt } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askFleet } from '../../src/app/mod.ts';
import type { FleetEvent, FleetSnapshot } from '../../src/fleet/mod.ts';
import { willEnd } from './end-left.ts';
import { type Finished, ShoalProcess, shoal } from './shoal-process.ts';

/** What `up -o json` prints when it is ready. */
export interface Ready {
  readonly ready: true;
  readonly nats: string;
  readonly fleet: string;
  readonly subject: string;
  readonly accelerator: string;
  readonly vms: readonly { readonly id_vmachine: number; readonly address: string; readonly state: string }[];
}

export interface FleetOptions {
  /** Addresses in the pool; default 4. */
  readonly addresses?: number;
  readonly flags?: readonly string[];
  /** An existing directory, to come back to; default a new one. */
  readonly data?: string;
  readonly pool?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What to run instead of `bin/shoal`, and its arguments before `up`. */
  readonly command?: string;
  readonly before?: readonly string[];
}

const LOOKS_MAX = 3_000;
/** Looking must not be what keeps the machine busy. */
const BETWEEN_LOOKS_MS = 20;
const EVENTS_MAX = 1_000;

/** A running `shoal up` in a folder of its own, with addresses of its own: the one driver that tests have. */
export class TestFleet {
  readonly up: ShoalProcess;
  readonly data: string;
  readonly pool: string;
  readonly ready: Ready;
  readonly #options: FleetOptions;

  private constructor(up: ShoalProcess, data: string, pool: string, ready: Ready, options: FleetOptions) {
    this.up = up;
    this.data = data;
    this.pool = pool;
    this.ready = ready;
    this.#options = options;
  }

  static async start(options: FleetOptions = {}): Promise<TestFleet> {
    const data = options.data ?? temporaryFolder();
    const pool = options.pool ?? randomPool(options.addresses ?? 4);
    willEnd({ data, pool });
    const up = startUp(data, pool, options);
    // The line is this project's own and a test holds its form.
    const ready = JSON.parse(await up.firstLine()) as Ready;
    return new TestFleet(up, data, pool, ready, options);
  }

  /** Ends `up` as no program can prepare for; VMs and nats-server go on. */
  async kill(): Promise<void> {
    this.up.signal('SIGKILL');
    await this.up.finished;
  }

  /** Another `up` in the place of this one, which has ended. */
  async resume(): Promise<TestFleet> {
    const { data, pool } = this;
    const up = startUp(data, pool, this.#options);
    // As in `start`.
    const ready = JSON.parse(await up.firstLine()) as Ready;
    return new TestFleet(up, data, pool, ready, this.#options);
  }

  /** As `resume`, without waiting until it is ready. */
  startAgain(): ShoalProcess {
    return startUp(this.data, this.pool, this.#options);
  }

  /** Runs a command against this fleet. */
  run(command: string, args: readonly string[] = [], input = ''): Promise<Finished> {
    return shoal([command, '--data', this.data, ...args], { input });
  }

  async json(command: string, args: readonly string[] = []): Promise<unknown> {
    const { stdout, stderr, exitCode } = await this.run(command, ['-o', 'json', ...args]);
    if (exitCode !== 0) throw new Error(`shoal ${command} ended with ${exitCode}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** What `ps` shows, asked for without the start of a command. */
  snapshot(): Promise<FleetSnapshot> {
    return askFleet<FleetSnapshot>({ servers: this.ready.nats, fleet: this.ready.fleet }, 'ps', {});
  }

  events(): Promise<readonly FleetEvent[]> {
    const where = { servers: this.ready.nats, fleet: this.ready.fleet };
    return askFleet<readonly FleetEvent[]>(where, 'events', { count: EVENTS_MAX });
  }

  /** Looks again and again until it is so; rejects after as many looks as no machine is slow enough for. */
  until(what: string, isSo: (snapshot: FleetSnapshot) => boolean): Promise<FleetSnapshot> {
    return eventually(what, async () => {
      const snapshot = await this.snapshot();
      return isSo(snapshot) ? snapshot : undefined;
    });
  }

  /** Ends it in order, as Ctrl-C does, and resolves with how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Finished> {
    if (this.up.child.exitCode === null && this.up.child.signalCode === null) this.up.signal(signal);
    const finished = await this.up.finished;
    if (this.#options.data === undefined) rmSync(this.data, { recursive: true, force: true });
    return finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop().then(() => undefined);
  }
}

function startUp(data: string, pool: string, { flags = [], env, command, before }: FleetOptions): ShoalProcess {
  const args = ['up', '-o', 'json', '--data', data, '--pool', pool, ...flags];
  return new ShoalProcess(args, {
    ...(env === undefined ? {} : { env }),
    ...(command === undefined ? {} : { command }),
    ...(before === undefined ? {} : { before }),
  });
}

/** Looks until there is something to see; for what has no event. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  looksMax = LOOKS_MAX,
): Promise<T> {
  for (let looks = 0; looks < looksMax; looks++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    // pause: until the next look
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
  throw new Error(`${looksMax} looks did not show that ${what}`);
}

export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'shoal-')));
}

/** A range in 127.0.0.0/8 that no other test is likely to have; VMs bind it, so a clash is an error and no mix-up. */
export function randomPool(addresses: number): string {
  const network = `127.${randomInt(16, 250)}.${randomInt(0, 250)}`;
  return `${network}.1-${network}.${addresses}:9000`;
}
