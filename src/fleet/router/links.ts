import { type Behaviour, type Context, type Exit, exponentialDelayMs, type Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../values/link-messages.ts';
import type { VmId } from '../values/vm-id.ts';
import type { RouterMessage } from './router-messages.ts';

/** The port by which the router gets at guests: a behaviour that keeps the connection to one of them. */
export type OpenLink = (target: LinkTarget, owner: Ref<LinkEvent>) => Behaviour<LinkMessage>;

interface Link {
  readonly ref: Ref<LinkMessage>;
  /** Ends of the actor in a row, without the link having been ready in between. */
  failures: number;
}

const REOPEN = { firstMs: 100, maxMs: 5_000 };
/** When a link whose mailbox was full is tried again: it handles thousands of messages in that time. */
const ROOM_AGAIN_MS = 10;

/** What the request path needs of the links. */
export type LinkSender = Pick<Links, 'tell'>;

/** The router's link actors, one a VM. They are its children; one that fails is a link lost and opened anew. */
export class Links {
  readonly #context: Context<RouterMessage>;
  readonly #openLink: OpenLink;
  readonly #links = new Map<VmId, Link>();

  constructor(context: Context<RouterMessage>, openLink: OpenLink) {
    this.#context = context;
    this.#openLink = openLink;
  }

  open(target: LinkTarget): void {
    if (this.#links.has(target.vm)) return;
    const behaviour = this.#openLink(target, this.#context.self);
    const ref = this.#context.spawn(behaviour, { name: `link-${target.vm}` });
    this.#links.set(target.vm, { ref, failures: 0 });
    this.#watch(target.vm, ref);
  }

  /** It is connected: its next failure is the first again. */
  connected(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link !== undefined) link.failures = 0;
  }

  /** Has the link of a VM opened again after its actor ended, after a while that grows with each end in a row. */
  reopenLater(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    const delayMs = exponentialDelayMs(REOPEN, link.failures);
    link.failures += 1;
    this.#context.after(delayMs, { kind: 'link-reopen', vm });
  }

  /** Its ref stays. */
  reopen(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    this.#context.pipe(
      this.#context.restart(link.ref),
      () => ({ kind: 'link-reopened', vm }),
      () => ({ kind: 'link-reopen-failed', vm }),
    );
  }

  reopened(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link !== undefined) this.#watch(vm, link.ref);
  }

  /** @returns false if its mailbox is full, or its actor has ended; `link-room` follows after a moment */
  tell(vm: VmId, message: LinkMessage): boolean {
    if (this.#links.get(vm)?.ref.tell(message) === true) return true;
    this.#context.after(ROOM_AGAIN_MS, { kind: 'link-room', vm });
    return false;
  }

  close(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    this.#links.delete(vm);
    this.#context.unwatch(link.ref);
    // Nothing waits for it: the connection is given up, not drained.
    void this.#context.stop(link.ref);
  }

  #watch(vm: VmId, ref: Ref<LinkMessage>): void {
    this.#context.watch(ref, (exit: Exit) => ({ kind: 'link-exited', vm, exit }));
  }
}
