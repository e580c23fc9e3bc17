import type { Behaviour, Ref } from '../../actors/mod.ts';
import type { OpenLink } from '../router/links.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../values/link-messages.ts';
import type { VmId } from '../values/vm-id.ts';

export type LinkRequest = Extract<LinkMessage, { kind: 'request' }>;

/** The link of one VM as a test sees it. */
export interface FakeLink {
  readonly vm: VmId;
  readonly owner: Ref<LinkEvent>;
  /** Requests that have come and have not been ended, oldest first. */
  readonly open: LinkRequest[];
  /** Frames whose cancel has come. */
  readonly cancelled: number[];
  /** Lines that the guest is to print (R10). */
  readonly relayed: string[];
  connected: boolean;
}

/** Makes links that connect to nothing: a test answers for the guests. */
export class FakeLinks {
  readonly byVm = new Map<VmId, FakeLink>();
  /** VMs that answer when they are asked whether they live. */
  readonly ponging = new Set<VmId>();
  /** VMs in the order in which they were asked. */
  readonly pinged: VmId[] = [];
  /** VMs in the order in which the actors of their links were started. */
  readonly started: VmId[] = [];
  /** VMs in the order in which the actors of their links ended. */
  readonly ended: VmId[] = [];
  readonly #refs = new Map<VmId, Ref<LinkMessage>>();
  readonly #broken = new Set<VmId>();
  /** Whether a link is up as soon as it is opened. */
  autoReady = true;
  /** How a link tells its owner. */
  tell: (link: FakeLink, event: LinkEvent) => void = (link, event) => void link.owner.tell(event);
  /** A VM whose link actor fails as soon as it is started. */
  failing: VmId | undefined;

  readonly openLink: OpenLink = (target: LinkTarget, owner: Ref<LinkEvent>): Behaviour<LinkMessage> => {
    return (context) => {
      this.#refs.set(target.vm, context.self);
      this.started.push(target.vm);
      context.onStop(() => void this.ended.push(target.vm));
      if (this.failing === target.vm) throw new Error('no such guest');
      const link: FakeLink = { vm: target.vm, owner, open: [], cancelled: [], relayed: [], connected: this.autoReady };
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

  /** The actor of that link fails. */
  failLink(vm: VmId): void {
    this.#broken.add(vm);
    this.#refs.get(vm)?.tell({ kind: 'cancel', id: 0 });
  }

  of(vm: VmId): FakeLink {
    const link = this.byVm.get(vm);
    if (link === undefined) throw new Error(`VM ${vm} has no link`);
    return link;
  }

  #take(link: FakeLink, message: LinkMessage): void {
    const { vm } = link;
    if (this.#broken.delete(vm)) throw new Error('a defect of the link');
    if (message.kind === 'ping') this.#ping(link);
    else if (message.kind === 'relay') link.relayed.push(message.line);
    else if (message.kind === 'cancel') link.cancelled.push(message.id);
    else if (link.connected) link.open.push(message);
    else this.tell(link, { kind: 'link-lost', vm, sent: [], unsent: [message.id], why: 'the link is not connected' });
  }

  #ping(link: FakeLink): void {
    this.pinged.push(link.vm);
    if (this.ponging.has(link.vm)) this.tell(link, { kind: 'link-pong', vm: link.vm });
  }
}
