import { ManualClock, QuietScheduler, seededRandom } from '../../actors/kit/mod.ts';
import {
  type ActorSystem,
  type Behaviour,
  type Clock,
  createSystem,
  type DeadLetter,
  type Exit,
  type Ref,
  silentLogger,
} from '../../actors/mod.ts';
import type { ErrorEnvelope } from '../../errors.ts';
import { type HostEvent, type Hosts, type HostsOptions, joinHosts } from '../mod.ts';
import { FakeNetwork, type FakePort } from './fake-network.ts';

export interface FakeHost {
  readonly hosts: Hosts;
  readonly system: ActorSystem;
  readonly port: FakePort;
  readonly events: HostEvent[];
  readonly letters: DeadLetter[];
  readonly failures: { readonly path: string; readonly error: ErrorEnvelope }[];
  /** The process stands still: nothing reaches it and its timers wait. */
  pause(): void;
  /** @param options forgetting: what has come meanwhile is lost */
  resume(options?: { readonly forgetting: boolean }): void;
  /** The process ends without a word. */
  kill(): void;
}

/** Rounds of the event loop in which nothing is carried, after which all is at rest. */
const QUIET_ROUNDS = 4;
const ROUNDS_MAX = 10_000;

/** Hosts in one process, each with a system of its own, on one clock that a test moves. */
export class FakeGroup {
  readonly network = new FakeNetwork();
  readonly clock = new ManualClock({ settle: () => this.settle() });
  readonly #schedulers: QuietScheduler[] = [];
  #seed = 0;

  host(name: string, options: Partial<HostsOptions> = {}): FakeHost {
    const port = this.network.port(name);
    const process = new FakeProcess(this.clock);
    const fraction = seededRandom(++this.#seed);
    const failures: FakeHost['failures'] = [];
    const letters: DeadLetter[] = [];
    const events: HostEvent[] = [];
    const scheduler = new QuietScheduler();
    this.#schedulers.push(scheduler);
    const system = createSystem({
      scheduler,
      clock: process.clock,
      random: { fraction, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(fraction() * 256)) },
      logger: silentLogger,
      onFailure: (path, error) => failures.push({ path, error }),
      onDeadLetter: (letter) => letters.push(letter),
    });
    const gated = {
      get isConnected() {
        return port.isConnected;
      },
      get payloadBytesMax() {
        return port.payloadBytesMax;
      },
      publish: (subject: string, bytes: Uint8Array) => port.publish(subject, bytes),
      subscribe: (subject: string, onMessage: (bytes: Uint8Array) => void) =>
        port.subscribe(subject, (bytes) => process.gate(() => onMessage(bytes), true)),
      onState: (listener: (isConnected: boolean) => void) => port.onState(listener),
      onRefused: (listener: (subject: string, why: string) => void) => port.onRefused(listener),
    };
    const hosts = joinHosts({
      system,
      port: gated,
      group: 'test.hosts',
      host: name,
      ...options,
      onEvent: (event) => events.push(event),
    });
    return {
      hosts,
      system,
      port,
      events,
      letters,
      failures,
      pause: () => process.pause(),
      resume: (resuming) => process.resume(resuming?.forgetting === true),
      kill: () => process.kill(),
    };
  }

  /** Carries messages and runs actors until all is at rest. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let round = 0; quiet < QUIET_ROUNDS; round++) {
      if (round > ROUNDS_MAX) throw new Error('the hosts send to each other for ever');
      quiet = this.network.pending === 0 ? quiet + 1 : 0;
      this.network.carry();
      await new Promise((handled) => setImmediate(handled));
      for (const scheduler of this.#schedulers) await scheduler.settle();
    }
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }
}

class FakeProcess {
  readonly clock: Clock;
  /** Timers and messages that have come meanwhile. */
  readonly #waiting: { readonly callback: () => void; readonly isMessage: boolean }[] = [];
  #state: 'running' | 'paused' | 'dead' = 'running';

  constructor(clock: ManualClock) {
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      timer: (delayMs, callback) => {
        let isCancelled = false;
        const cancel = clock.timer(delayMs, () =>
          this.gate(() => {
            if (!isCancelled) callback();
          }),
        );
        return () => {
          isCancelled = true;
          cancel();
        };
      },
      soon: (callback) => clock.soon(() => this.gate(callback)),
    };
  }

  gate(callback: () => void, isMessage = false): void {
    if (this.#state === 'running') callback();
    else if (this.#state === 'paused') this.#waiting.push({ callback, isMessage });
  }

  pause(): void {
    this.#state = 'paused';
  }

  resume(isForgetting: boolean): void {
    this.#state = 'running';
    for (const { callback, isMessage } of this.#waiting.splice(0)) if (!isMessage || !isForgetting) callback();
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
  }
}

export type EchoMessage =
  | { readonly kind: 'note'; readonly value: unknown }
  | { readonly kind: 'ask'; readonly value: unknown; readonly replyTo: Ref<unknown> }
  | { readonly kind: 'ignore'; readonly replyTo: Ref<unknown> }
  | { readonly kind: 'end' }
  | { readonly kind: 'fail' };

/** Keeps what it is told, and replies with what it is asked. */
export function echo(notes: unknown[]): Behaviour<EchoMessage> {
  return (context) => (message) => {
    switch (message.kind) {
      case 'note':
        notes.push(message.value);
        return;
      case 'ask':
        message.replyTo.tell(message.value);
        return;
      case 'ignore':
        return;
      case 'end':
        context.exit();
        return;
      case 'fail':
        throw new Error('as told');
    }
  };
}

/** Watches a ref and keeps what it is told of its end. */
export function watching(system: ActorSystem, ref: Ref<never>, exits: Exit[] = []): Exit[] {
  system.spawn<Exit>((context) => {
    context.watch(ref, (exit) => exit);
    return (exit) => void exits.push(exit);
  });
  return exits;
}
