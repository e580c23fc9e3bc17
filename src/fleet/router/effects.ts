import type { Clock, Ref } from '../../actors/mod.ts';
import type { Effect, Reaction } from '../policy/reaction.ts';
import { newRowOf, rowUpdateOf } from '../policy/rows.ts';
import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest, Waiter } from '../state/open-request.ts';
import type { Transition } from '../state/transition.ts';
import type { Address } from '../values/address.ts';
import type { DeployState } from '../values/deploy.ts';
import type { FleetEvent } from '../values/fleet-event.ts';
import type { HostCommand } from '../values/host-messages.ts';
import type { LinkTarget } from '../values/link-messages.ts';
import type { Outcome } from '../values/request.ts';
import type { RequestRecord } from '../values/request-record.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Links } from './links.ts';
import type { RelaySender } from './relays.ts';
import type { StoreWrites } from './store-writes.ts';

/** How the token of an orphaned reply is read, and where a reply goes that no request of ours waits for (R11). */
export interface OrphanedReplyPort {
  /** @returns undefined for a token that we did not make */
  open(token: Uint8Array): { readonly requestId: string } | undefined;
  publish(token: Uint8Array, outcome: Outcome): void;
  /** A request has ended, and a VM may still send a reply for it: that is no answer. Outlives the router. */
  answered?(requestId: string): void;
  hasAnswered?(requestId: string): boolean;
}

export interface EffectPorts {
  readonly controller: Ref<HostCommand>;
  readonly onEvent: (event: FleetEvent) => void;
  /** Told how far a deploy is, to keep that: the next router is given it. */
  readonly onDeploy?: ((deploy: DeployState) => void) | undefined;
  /** Takes a sample of the steps of requests; see `RequestRecorder`. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
}

/** What the effects on requests need of the request path. */
export interface Responder {
  answer(request: OpenRequest, outcome: Outcome): void;
  answerOne(waiter: Waiter, outcome: Outcome): void;
  forget(request: OpenRequest): void;
}

/** What they need of the other hosts. */
export interface HandedCanceller {
  cancel(host: string, frame: number): void;
}

/**
 * Carries reactions out: their transitions first, then their effects. A transition that does not fit is a defect of the policy: the router
 * fails before it tells anybody anything that is not so, and the next one starts from what the tables and the host know.
 */
export class Effects {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #links: Links;
  readonly #writes: StoreWrites;
  readonly #responder: Responder;
  readonly #ports: EffectPorts;
  readonly #neighbours: HandedCanceller;
  readonly #relays: RelaySender | undefined;

  constructor(
    fleet: Fleet,
    clock: Clock,
    links: Links,
    writes: StoreWrites,
    responder: Responder,
    ports: EffectPorts,
    neighbours: HandedCanceller = NOBODY,
    relays?: RelaySender,
  ) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#links = links;
    this.#writes = writes;
    this.#responder = responder;
    this.#ports = ports;
    this.#neighbours = neighbours;
    this.#relays = relays;
  }

  carryOut({ transitions, effects }: Reaction): void {
    for (const transition of transitions) {
      if (!this.#fleet.apply(transition))
        throw new Error(`the transition does not fit the fleet: ${nameOf(transition)}`);
    }
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: Effect): void {
    switch (effect.kind) {
      case 'command':
        // Whatever was on its way for this VM must not come after it.
        this.#relays?.withdrawAllOf(effect.command.vm);
        this.#ports.controller.tell(effect.command);
        return;
      case 'relay':
        this.#relays?.send(effect.relay);
        return;
      case 'event':
        return this.#ports.onEvent({ atMs: this.#clock.now(), ...effect.event });
      case 'open-link':
        return this.#links.open(this.#targetOf(effect));
      case 'open-link-ahead':
        return this.#links.openAhead(this.#targetOf(effect));
      case 'close-link':
        this.#relays?.withdrawAllOf(effect.vm);
        return this.#links.close(effect.vm);
      case 'ping':
        this.#links.tell(effect.vm, { kind: 'ping' });
        return;
      case 'write-reservation':
        return this.#writes.reserve(effect.vm, effect.address);
      case 'write-row':
      case 'update-row':
        return this.#row(effect);
      case 'write-release':
        return this.#writes.release(effect.vm);
      case 'write-done':
        return this.#writes.done(effect.vm);
      case 'retry-write':
        return this.#writes.retryLater(effect.vm);
      case 'answer':
        return this.#responder.answer(effect.request, effect.outcome);
      case 'answer-one':
        return this.#responder.answerOne(effect.waiter, effect.outcome);
      case 'cancel':
        this.#links.tell(effect.vm, { kind: 'cancel', id: effect.frame });
        return;
      case 'cancel-handed':
        this.#neighbours.cancel(effect.host, effect.frame);
        return;
      case 'forget':
        return this.#responder.forget(effect.request);
      case 'save-deploy':
        this.#ports.onDeploy?.(effect.deploy);
        return;
      case 'reply':
        effect.replyTo.tell(effect.reply);
        return;
    }
  }

  #targetOf({ vm, address }: { readonly vm: VmId; readonly address: Address }): LinkTarget {
    const imageDigest = this.#fleet.vm(vm)?.imageDigest;
    return imageDigest === undefined ? { vm, address } : { vm, address, imageDigest };
  }

  #row({ kind, vm: id, atMs }: Extract<Effect, { kind: 'write-row' | 'update-row' }>): void {
    const vm = this.#fleet.vm(id);
    if (vm === undefined) return;
    if (kind === 'update-row') {
      const update = rowUpdateOf(vm, atMs);
      if (update !== undefined) this.#writes.touch(id, update);
      return;
    }
    const now = { nowMs: this.#clock.monotonic(), epochMs: this.#clock.now() };
    const row = newRowOf(this.#fleet, vm, atMs, now);
    if (row !== undefined) this.#writes.insert(row);
  }
}

const NOBODY: HandedCanceller = { cancel: () => undefined };

function nameOf(transition: Transition): string {
  return 'vm' in transition ? `${transition.kind} of VM ${transition.vm}` : transition.kind;
}
