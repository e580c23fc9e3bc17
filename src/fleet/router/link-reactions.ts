import { onLinkExited, onLinkLost, onLinkReady, onLinkRoom, onPong } from '../policy/on-link-event.ts';
import { NOTHING, type Reaction } from '../policy/reaction.ts';
import type { Fleet } from '../state/fleet.ts';
import type { LinkEvent } from '../values/link-messages.ts';
import { kindsOf } from './kinds.ts';
import type { Links } from './links.ts';
import type { OwnMessage } from './router-messages.ts';

/** What concerns the state of a link, rather than a request on it. */
export type LinkStateMessage =
  | Exclude<LinkEvent, { kind: 'link-reply' | 'link-error' | 'link-orphaned-reply' }>
  | Extract<
      OwnMessage,
      { kind: 'link-opened' | 'link-room' | 'link-exited' | 'link-reopen' | 'link-reopened' | 'link-reopen-failed' }
    >;

export const isLinkState = kindsOf<LinkStateMessage>({
  'link-ready': true,
  'link-opened': true,
  'link-pong': true,
  'link-lost': true,
  'link-room': true,
  'link-exited': true,
  'link-reopen': true,
  'link-reopened': true,
  'link-reopen-failed': true,
});

/** Keeps the link actors in step with what they tell, and says what follows for the fleet. */
export class LinkReactions {
  readonly #fleet: Fleet;
  readonly #links: Links;

  constructor(fleet: Fleet, links: Links) {
    this.#fleet = fleet;
    this.#links = links;
  }

  on(message: LinkStateMessage, nowMs: number): Reaction {
    const { vm } = message;
    switch (message.kind) {
      case 'link-ready':
        return this.#links.connected(vm) ? onLinkReady(this.#fleet, vm, nowMs) : NOTHING;
      case 'link-opened':
        return this.#links.opened(vm) ? onLinkReady(this.#fleet, vm, nowMs) : NOTHING;
      case 'link-pong':
        return onPong(this.#fleet, vm, nowMs);
      case 'link-lost':
        return this.#links.lost(vm) ? onLinkLost(this.#fleet, message, nowMs) : NOTHING;
      case 'link-room':
        return onLinkRoom(this.#fleet, vm);
      case 'link-exited': {
        const { reason } = message.exit;
        this.#links.reopenLater(vm);
        if (!this.#links.lost(vm)) return NOTHING;
        const why = reason.kind === 'error' ? reason.error.message : 'its link ended';
        return onLinkExited(this.#fleet, vm, why, nowMs);
      }
      case 'link-reopen':
        this.#links.reopen(vm);
        return NOTHING;
      case 'link-reopened':
        this.#links.reopened(vm);
        return NOTHING;
      case 'link-reopen-failed':
        this.#links.reopenLater(vm);
        return NOTHING;
    }
  }
}
