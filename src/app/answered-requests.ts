/** Enough for the replies that guests keep: 64 each, for 30 s. */
const KEPT_MAX = 10_000;

/**
 * Ids of requests that were answered without their guest, because its link was lost or the router failed. The guest may still send a
 * reply; this set outlives the router, so that such a reply does not become a second answer.
 */
export class AnsweredRequests {
  /** Oldest first. */
  readonly #ids = new Set<string>();

  add(requestId: string): void {
    this.#ids.delete(requestId);
    this.#ids.add(requestId);
    if (this.#ids.size <= KEPT_MAX) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }

  has(requestId: string): boolean {
    return this.#ids.has(requestId);
  }
}
