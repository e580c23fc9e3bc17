import type { Behaviour, Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../link-messages.ts';
import type { OpenLink } from '../links.ts';
import type { VmId } from '../vm.ts';

export type LinkRequest = Extract<LinkMessage, { kind: 'request' }>;

/** The link of one VM as a test sees it. */
export interface FakeLink {
  readonly vm: VmId;
  readonly owner: Ref<LinkEvent>;
  /** Requests that have come and have not been ended, oldest first. */
  readonly open: LinkRequest[];
  /** Frames whose cancel has come. */
  readonly cancelled: number[];
  connected: boolean;
  /** Its actor fails at its next message. */
  broken: boolean;
}

/** Makes links that connect to nothing: a test answers for the guests. */
export class FakeLinks {
  readonly byVm = new Map<VmId, FakeLink>();
  readonly #refs = new Map<VmId, Ref<LinkMessage>>();
  /** Whether a link is up as soon as it is opened. */
  autoReady = true;
  /** How a link tells its owner. */
  tell: (link: FakeLink, event: LinkEvent) => void = (link, event) => void link.owner.tell(event);
  /** A VM whose link actor fails as soon as it is started. */
  failing: VmId | undefined;

  readonly openLink: OpenLink = (target: LinkTarget, owner: Ref<LinkEvent>): Behaviour<LinkMessage> => {
    return (context) => {
      this.#refs.set(target.vm, context.self);
      if (this.failing === target.vm) throw new Error('no such guest');
      const link: FakeLink = {
        vm: target.vm,
        owner,
        open: [],
        cancelled: [],
        connected: this.autoReady,
        broken: false,
      };
      this.byVm.set(target.vm, link);
      if (this.autoReady) this.tell(link, { kind: 'link-ready', vm: target.vm });
      return (message) => this.#take(link, message);
    };
  };

  /** The connection is up. */
  connect(link: FakeLink): void {
    link.connected = true;
    this.tell(link, { kind: 'link-ready', vm: link.vm });
  }

  /** The connection drops; what has come counts as sent but for `unsent` of it, the newest. */
  drop(link: FakeLink, unsent: number): void {
    link.connected = false;
    const frames = link.open.splice(0).map((request) => request.id);
    const sent = frames.slice(0, Math.max(0, frames.length - unsent));
    this.tell(link, { kind: 'link-lost', vm: link.vm, sent, unsent: frames.slice(sent.length), why: 'reset' });
  }

  /** The actor of that link fails at its next message. */
  failLink(vm: VmId): void {
    this.of(vm).broken = true;
    this.#refs.get(vm)?.tell({ kind: 'ping' });
  }

  of(vm: VmId): FakeLink {
    const link = this.byVm.get(vm);
    if (link === undefined) throw new Error(`VM ${vm} has no link`);
    return link;
  }

  #take(link: FakeLink, message: LinkMessage): void {
    const { vm } = link;
    if (link.broken) throw new Error('the link is broken');
    if (message.kind === 'ping') {
      if (link.connected) this.tell(link, { kind: 'link-pong', vm });
    } else if (message.kind === 'cancel') link.cancelled.push(message.id);
    else if (link.connected) link.open.push(message);
    else this.tell(link, { kind: 'link-lost', vm, sent: [], unsent: [message.id], why: 'the link is not connected' });
  }
}
