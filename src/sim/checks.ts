import { usualMaxMs } from './duration.ts';
import { numberIn } from './request-text.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the checks look at: the state of the world, from outside of Shoal. */
export interface CheckedWorld {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly recorder: { count(what: string): void };
  readonly hosts: readonly {
    readonly room: { readonly started: number };
    readonly isShoalUp: boolean;
    readonly checks: { unrest(): Promise<string | undefined>; isAmongOthers(): void };
  }[];
  /** Requests that have not ended. */
  readonly open: number;
  /** How all requests stand. */
  readonly ledger: { readonly sent: number; readonly ended: number };
}

/** A promise that was broken. The seed repeats it. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** How long peace may take, beyond what the parameters say, to bring everything to rest: back-off, restarts and write retries. */
const SETTLING_MS = 180_000;
/**
 * Guests work off what has come over a link that is lost, for nobody if nobody asks again: so many requests one after the other, as long as
 * they take.
 */
const WORK_LEFT = 64;
/** Hosts that are up see each other after a few times the silence that makes one lost: they may have counted each other as lost just now. */
const SILENCES_TO_SETTLE = 5;
const LOOK_MS = 500;
/** With more hosts, each of which knows all others, a look takes longer than all that happens meanwhile. */
const HOSTS_LOOKED_AT_OFTEN = 50;
const RARE_LOOK_MS = 4_000;
const RESTING_MS = 12_000;

/** What must be true of the whole world at every moment, and what must come true once nothing goes wrong any more. */
export class Checks {
  readonly #world: CheckedWorld;
  #lives = 0;
  /** VMs that began to compute for a request, by its number. */
  readonly #tries = new Map<string, string[]>();
  readonly #deliveries = new Map<string, number>();
  /** The hosts that a request came to, the last one last. */
  readonly #places = new Map<string, string[]>();
  /** The requests that were sent with an id. */
  readonly #numbers = new Map<string, Set<string>>();

  constructor(world: CheckedWorld) {
    this.#world = world;
  }

  violated(what: string): void {
    const { time } = this.#world;
    time.fail(new InvariantViolation(`${what} (at ${(time.nowMs / 1_000).toFixed(3)} s)`));
  }

  /** Whoever begins anew knows nothing of what was tried before. */
  restarted(): void {
    this.#lives += 1;
  }

  /** R11: a request is tried twice at the most, and once if the image is not idempotent. A new router may begin anew. */
  works(host: string, vm: number, number: string): void {
    const one = `${this.#lives} ${host}/${vm}`;
    const tries = this.#tries.get(number);
    if (tries === undefined) {
      this.#tries.set(number, [one]);
      return;
    }
    if (!tries.includes(one)) tries.push(one);
    const thisLife = tries.filter((other) => other.startsWith(`${this.#lives} `)).length;
    const most = (this.#world.scenario.guest.idempotent ? 2 : 1) * (this.#deliveries.get(number) ?? 1);
    if (thisLife > most) this.violated(`the request ${number} is worked on by ${thisLife} VMs, the last is ${vm}`);
  }

  /** Shoal gets a request: it may be a repeat of one that has ended, which is a new request then. */
  comes(host: string, payload: Uint8Array): void {
    const number = numberIn(payload);
    if (this.#world.scenario.hosts > 1) this.#comesTo(host, number);
    this.#deliveries.set(number, (this.#deliveries.get(number) ?? 0) + 1);
  }

  /** The host that a request came to last. */
  placeOf(number: string): string | undefined {
    return this.#places.get(number)?.at(-1);
  }

  /** A client sends a request, or repeats one. */
  sends(id: string, number: number): void {
    if (this.#world.scenario.hosts === 1) return;
    const numbers = this.#numbers.get(id) ?? new Set();
    this.#numbers.set(id, numbers.add(String(number)));
  }

  /** Hops are bounded: only the host that a client's request came to hands it on. */
  handsOn(host: string, id: string): void {
    this.#world.recorder.count('a request is handed on');
    const numbers = [...(this.#numbers.get(id) ?? [])];
    if (numbers.some((number) => this.#places.get(number)?.includes(host) === true)) return;
    this.violated(`${host} hands on the request ${id}, which another host has handed to it`);
  }

  #comesTo(host: string, number: string): void {
    const places = this.#places.get(number);
    if (places === undefined) {
      this.#places.set(number, [host]);
      return;
    }
    if (places.at(-1) === host) return;
    this.#world.recorder.count('a repeat comes to another host');
    places.push(host);
  }

  /** Runs the world in peace until everything is at rest. */
  async liveness(): Promise<void> {
    const { time, scenario } = this.#world;
    const settlingMs = Math.max(
      SETTLING_MS,
      SILENCES_TO_SETTLE * scenario.beats.lostMs,
      WORK_LEFT * usualMaxMs(scenario.guest.service),
    );
    const endMs = time.nowMs + scenario.deadlineMs + settlingMs;
    const lookMs = scenario.hosts > HOSTS_LOOKED_AT_OFTEN ? RARE_LOOK_MS : LOOK_MS;
    let why = 'nothing was looked at';
    let restingSinceMs: number | undefined;
    let startsThen = 0;
    let allUpSinceMs: number | undefined;
    while (time.nowMs < endMs) {
      await time.run(time.nowMs + lookMs);
      allUpSinceMs = this.#world.hosts.every(({ isShoalUp }) => isShoalUp) ? (allUpSinceMs ?? time.nowMs) : undefined;
      if (time.nowMs - (allUpSinceMs ?? time.nowMs) > SILENCES_TO_SETTLE * scenario.beats.lostMs) {
        for (const { checks } of this.#world.hosts) checks.isAmongOthers();
      }
      const looking = this.#unrest();
      let isAnswered = false;
      let answer: string | undefined;
      void looking.then((found) => {
        isAnswered = true;
        answer = found;
      });
      await time.run(endMs, () => isAnswered);
      const started = this.#world.hosts.reduce((sum, { room }) => sum + room.started, 0);
      if (answer !== undefined || (restingSinceMs !== undefined && started !== startsThen)) {
        why = answer ?? 'VMs are started for nothing';
        restingSinceMs = undefined;
        continue;
      }
      restingSinceMs ??= time.nowMs;
      startsThen = started;
      // Rest that lasts a moment only is none.
      if (time.nowMs - restingSinceMs >= RESTING_MS) return this.#balance();
    }
    throw new InvariantViolation(`${Math.round(settlingMs / 1_000)} s after the last fault, ${why}`);
  }

  /** @returns what is not at rest; undefined if all is */
  async #unrest(): Promise<string | undefined> {
    const { open, hosts } = this.#world;
    if (open > 0) return `${open} requests have not ended`;
    for (const { checks } of hosts) {
      const unrest = await checks.unrest();
      if (unrest !== undefined) return unrest;
    }
    return undefined;
  }

  /** Each request that was sent has ended, once: with a reply, with a refusal, or because its deadline had passed. */
  #balance(): void {
    const { sent, ended } = this.#world.ledger;
    if (sent !== ended) throw new InvariantViolation(`${sent} requests were sent, and ${ended} outcomes were told`);
  }
}
