/** What guests may still send replies for: each keeps 64 of them, for 30 s. */
const KEPT_MAX = 10_000;

/**
 * Ids of requests that have ended otherwise than by the guest which still may send a reply for them: its link was lost, or the router failed
 * while it worked on them. It outlives the router, so that such a reply is not a second answer.
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
