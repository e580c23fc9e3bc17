import { type Behaviour, type Context, type Exit, exponentialDelayMs, type Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../values/link-messages.ts';
import type { VmId } from '../values/vm-id.ts';
import type { RouterMessage } from './router-messages.ts';

/** The port by which the router gets at guests: a behaviour that keeps the connection to one of them. */
export type OpenLink = (target: LinkTarget, owner: Ref<LinkEvent>) => Behaviour<LinkMessage>;

/** Before the id of the VM. */
const NAME = 'link-';
const REOPEN = { firstMs: 100, maxMs: 5_000 };
/** When a link whose mailbox was full is tried again: it handles thousands of messages in that time. */
const ROOM_AGAIN_MS = 10;

/** What the request path needs of the links. */
export type LinkSender = Pick<Links, 'tell'>;

/** The router's link actors, one a VM. They are its children; one that fails is a link lost and opened anew. */
export class Links {
  readonly #context: Context<RouterMessage>;
  readonly #openLink: OpenLink;
  readonly #links = new Map<VmId, Ref<LinkMessage>>();
  /** Ends of an actor in a row, without its link having been ready in between; none of a link that is well. */
  readonly #failures = new Map<VmId, number>();
  /** Opened before they are of use, each with whether it is ready. */
  readonly #ahead = new Map<VmId, boolean>();

  constructor(context: Context<RouterMessage>, openLink: OpenLink) {
    this.#context = context;
    this.#openLink = openLink;
  }

  open(target: LinkTarget): void {
    if (this.#ahead.has(target.vm)) this.#context.self.tell({ kind: 'link-opened', vm: target.vm });
    else if (!this.#links.has(target.vm)) this.#spawn(target);
  }

  /** Nothing that it tells counts until it is opened. */
  openAhead(target: LinkTarget): void {
    if (this.#links.has(target.vm)) return;
    this.#ahead.set(target.vm, false);
    this.#spawn(target);
  }

  /** One that was opened ahead is in use from now on. @returns whether it is ready */
  opened(vm: VmId): boolean {
    const isReady = this.#ahead.get(vm) === true;
    this.#ahead.delete(vm);
    return isReady;
  }

  #spawn(target: LinkTarget): void {
    const behaviour = this.#openLink(target, this.#context.self);
    const ref = this.#context.spawn(behaviour, { name: `${NAME}${target.vm}` });
    this.#links.set(target.vm, ref);
    this.#context.watch(ref, exited);
  }

  /** It is connected: its next failure is the first again. @returns whether it is in use */
  connected(vm: VmId): boolean {
    this.#failures.delete(vm);
    return this.#inUse(vm, true);
  }

  /** @returns whether it is in use */
  lost(vm: VmId): boolean {
    return this.#inUse(vm, false);
  }

  #inUse(vm: VmId, isReady: boolean): boolean {
    const isAhead = this.#ahead.has(vm);
    if (isAhead) this.#ahead.set(vm, isReady);
    return !isAhead;
  }

  /** Has the link of a VM opened again after its actor ended, after a while that grows with each end in a row. */
  reopenLater(vm: VmId): void {
    if (!this.#links.has(vm)) return;
    const failures = this.#failures.get(vm) ?? 0;
    const delayMs = exponentialDelayMs(REOPEN, failures);
    this.#failures.set(vm, failures + 1);
    this.#context.after(delayMs, { kind: 'link-reopen', vm });
  }

  /** Its ref stays. */
  reopen(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    this.#context.pipe(
      this.#context.restart(link),
      () => ({ kind: 'link-reopened', vm }),
      () => ({ kind: 'link-reopen-failed', vm }),
    );
  }

  reopened(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link !== undefined) this.#context.watch(link, exited);
  }

  /** @returns false if its mailbox is full, or its actor has ended; `link-room` follows after a moment */
  tell(vm: VmId, message: LinkMessage): boolean {
    if (this.#links.get(vm)?.tell(message) === true) return true;
    this.#context.after(ROOM_AGAIN_MS, { kind: 'link-room', vm });
    return false;
  }

  close(vm: VmId): void {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    this.#links.delete(vm);
    this.#ahead.delete(vm);
    this.#failures.delete(vm);
    this.#context.unwatch(link);
    // Nothing waits for it: the connection is given up, not drained.
    void this.#context.stop(link);
  }
}

/** Of all links: which one has ended, its name says. */
function exited(exit: Exit): RouterMessage {
  return { kind: 'link-exited', vm: Number(exit.path.slice(exit.path.lastIndexOf(NAME) + NAME.length)), exit };
}
