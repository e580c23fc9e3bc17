import { randomInt } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askFleet } from '../../src/app/mod.ts';
import type { FleetEvent, FleetSnapshot } from '../../src/fleet/mod.ts';
import type { VmNetwork } from '../../src/hypervisor/mod.ts';
import { willEnd } from './end-left.ts';
import { type Finished, ShoalProcess, shoal } from './shoal-process.ts';

/** The line that `up -o json` prints when it is ready. */
export interface Ready {
  readonly ready: true;
  readonly nats: string;
  readonly fleet: string;
  readonly subject: string;
  /** Of a fleet with `--http`. */
  readonly http?: string;
  readonly accelerator: string;
  readonly vms: readonly { readonly id_vmachine: number; readonly address: string; readonly state: string }[];
}

export interface FleetOptions {
  /** Addresses in the pool; default 4. */
  readonly addresses?: number;
  readonly flags?: readonly string[];
  /** `up`, or another command that runs a host; default `up`. */
  readonly role?: 'up' | 'server' | 'controller';
  /** The data directory of an earlier fleet; default a new one. */
  readonly data?: string;
  readonly pool?: string;
  /** Of the VMs; default $SHOAL_TEST_NETWORK, so that whole suites can be run without a network; else `user`. */
  readonly network?: VmNetwork;
  readonly env?: NodeJS.ProcessEnv;
  /** A program to run instead of `bin/shoal`, with arguments that precede `up`. */
  readonly command?: string;
  readonly before?: readonly string[];
}

const LOOKS_MAX = 3_000;
/** Looking must not keep the machine busy. */
const BETWEEN_LOOKS_MS = 20;
const EVENTS_MAX = 1_000;

/** A running `shoal up` with a data directory and addresses of its own: the driver of all tests. */
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
    // A test checks the form of this line.
    const ready = JSON.parse(await up.firstLine()) as Ready;
    return new TestFleet(up, data, pool, ready, options);
  }

  /** Kills `up` with SIGKILL; VMs and nats-server go on. */
  async kill(): Promise<void> {
    this.up.signal('SIGKILL');
    await this.up.finished;
  }

  /** Starts another `up` on the same data directory, after this one has ended. */
  async resume(): Promise<TestFleet> {
    const { data, pool } = this;
    const up = startUp(data, pool, this.#options);
    // As in `start`.
    const ready = JSON.parse(await up.firstLine()) as Ready;
    return new TestFleet(up, data, pool, ready, this.#options);
  }

  /** Like `resume`, but does not wait until it is ready. */
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

  /** The data of `ps`, without starting a command. */
  snapshot(): Promise<FleetSnapshot> {
    return askFleet<FleetSnapshot>({ servers: this.ready.nats, fleet: this.ready.fleet }, 'ps', {});
  }

  events(): Promise<readonly FleetEvent[]> {
    const where = { servers: this.ready.nats, fleet: this.ready.fleet };
    return askFleet<readonly FleetEvent[]>(where, 'events', { count: EVENTS_MAX });
  }

  /** Polls until the condition holds; rejects after more looks than the slowest machine needs. */
  until(what: string, isSo: (snapshot: FleetSnapshot) => boolean): Promise<FleetSnapshot> {
    return eventually(what, async () => {
      const snapshot = await this.snapshot();
      return isSo(snapshot) ? snapshot : undefined;
    });
  }

  /** Ends `up` in order, as Ctrl-C does. @returns its exit */
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

function networkDefault(): VmNetwork {
  return process.env['SHOAL_TEST_NETWORK'] === 'none' ? 'none' : 'user';
}

function startUp(
  data: string,
  pool: string,
  { flags = [], network = networkDefault(), env, command, before, role = 'up' }: FleetOptions,
): ShoalProcess {
  const place = role === 'server' ? [] : ['--pool', pool, ...(network === 'none' ? ['--network', network] : [])];
  const args = [role, '-o', 'json', '--data', data, ...place, ...flags];
  return new ShoalProcess(args, {
    ...(env === undefined ? {} : { env }),
    ...(command === undefined ? {} : { command }),
    ...(before === undefined ? {} : { before }),
  });
}

/** Polls until `look` returns a value; for conditions without an event. */
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

/** A random range in 127.0.0.0/8. VMs bind its addresses, so a clash with another test would be an error, not a mix-up. */
export function randomPool(addresses: number): string {
  const network = `127.${randomInt(16, 250)}.${randomInt(0, 250)}`;
  return `${network}.1-${network}.${addresses}:9000`;
}
