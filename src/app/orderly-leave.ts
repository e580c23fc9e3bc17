import type { ActorSystem, Ref } from '../actors/mod.ts';
import type { RouterMessage } from '../fleet/mod.ts';

/** How long requests in hand may take when this host ends. */
const DRAIN_LIMIT_MS = 5_000;
const NOBODY: Ref<true> = { path: 'nobody', tell: () => true };

/** The end of a host for its requests: other hosts take over what they can, and the rest is finished. */
export class OrderlyLeave {
  readonly #system: ActorSystem;
  readonly #router: Ref<RouterMessage>;
  #limitAtMs = Number.POSITIVE_INFINITY;

  constructor(system: ActorSystem, router: Ref<RouterMessage>) {
    this.#system = system;
    this.#router = router;
  }

  /** From now on other hosts hand nothing to this one, and take what it cannot serve at once. */
  begin(): void {
    this.#limitAtMs = this.#system.clock.monotonic() + DRAIN_LIMIT_MS;
    this.#router.tell({ kind: 'cordon', on: true, replyTo: NOBODY });
  }

  /** Resolves when no request is in hand any more, or the time for that is over: what is left then is refused. Never rejects. */
  async finish(): Promise<void> {
    const limitMs = Math.min(DRAIN_LIMIT_MS, Math.max(0, this.#limitAtMs - this.#system.clock.monotonic()));
    const drain = (replyTo: Ref<true>): RouterMessage => ({ kind: 'drain', limitMs, replyTo });
    // A router that has failed has nothing in hand.
    await this.#system.ask(this.#router, drain, limitMs + 1_000).catch(() => undefined);
  }
}
