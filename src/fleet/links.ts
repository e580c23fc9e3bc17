import type { Behaviour, Context, Exit, Ref } from '../actors/mod.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from './link-messages.ts';
import type { RouterMessage } from './router-messages.ts';
import type { VmId } from './vm.ts';

/** The port by which the router gets at guests: a behaviour that keeps the connection to one of them. */
export type OpenLink = (target: LinkTarget, owner: Ref<LinkEvent>) => Behaviour<LinkMessage>;

/** The router's link actors, one a VM. They are its children; one that fails is a link lost and opened anew. */
export class Links {
  readonly #context: Context<RouterMessage>;
  readonly #openLink: OpenLink;
  readonly #links = new Map<VmId, { readonly target: LinkTarget; readonly ref: Ref<LinkMessage> }>();

  constructor(context: Context<RouterMessage>, openLink: OpenLink) {
    this.#context = context;
    this.#openLink = openLink;
  }

  open(target: LinkTarget): void {
    if (this.#links.has(target.vm)) return;
    const behaviour = this.#openLink(target, this.#context.self);
    const ref = this.#context.spawn(behaviour, { name: `link-${target.vm}` });
    this.#links.set(target.vm, { target, ref });
    this.#watch(target.vm, ref);
  }

  /** Opens the link of a VM again after its actor failed; its ref stays. */
  async reopen(vm: VmId): Promise<void> {
    const link = this.#links.get(vm);
    if (link === undefined) return;
    await this.#context.restart(link.ref);
    this.#watch(vm, link.ref);
  }

  tell(vm: VmId, message: LinkMessage): boolean {
    return this.#links.get(vm)?.ref.tell(message) ?? false;
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
