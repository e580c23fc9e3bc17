import type { Link } from './link.ts';

interface Linked {
  readonly link: Link | undefined;
  lose(why: string): void;
}

/** Why a link is lost that this host gives up itself. */
export const RELINKED = 'the connection was reset';

/** Links that are to be given up once the connection is back: until then the host at the other end is not lost. */
export class Relinks {
  readonly #due = new Map<Linked, Link>();

  add(peer: Linked | undefined): void {
    if (peer?.link !== undefined) this.#due.set(peer, peer.link);
  }

  /** The connection is back, and nothing has been sent again yet. */
  connected(): void {
    for (const [peer, link] of this.#due) if (peer.link === link) peer.lose(RELINKED);
    this.#due.clear();
  }
}
