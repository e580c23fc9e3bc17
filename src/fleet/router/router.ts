import type { Behaviour, Context } from '../../actors/mod.ts';
import { onRelayOverdue } from '../policy/control.ts';
import { onDeadlines, refuseAll } from '../policy/expiry.ts';
import type { Reaction } from '../policy/reaction.ts';
import { isAtRest } from '../policy/rest.ts';
import { reactionTo } from './inputs.ts';
import { isLinkState } from './link-reactions.ts';
import { isNeighbourMessage } from './neighbourhood.ts';
import { partsOf, type RouterParts } from './parts.ts';
import { answer, isQuery } from './queries.ts';
import type { RouterMessage } from './router-messages.ts';
import type { RouterOptions } from './router-options.ts';

/**
 * The actor that owns the fleet of a host: it routes each request, and starts and stops VMs by the rules. It decides nothing: each message
 * goes to a function of the policy, and what that returns is carried out.
 */
export function router(options: RouterOptions): Behaviour<RouterMessage> {
  return (context) => {
    const body = new Router(context, options);
    // Whatever ends the router, nobody is left without an answer.
    context.onStop(() => body.refuseAll(), 'before-children');
    return (message) => body.receive(message);
  };
}

class Router {
  readonly #context: Context<RouterMessage>;
  readonly #parts: RouterParts;

  constructor(context: Context<RouterMessage>, options: RouterOptions) {
    this.#context = context;
    this.#parts = partsOf(context, options);
    this.#parts.stepper.ask();
  }

  receive(message: RouterMessage): void {
    const { fleet, requests, neighbours, drain, ticker } = this.#parts;
    const nowMs = this.#context.clock.monotonic();
    // First of all: no message of that time may be judged as if we had been there.
    const forMs = ticker.pausedMs(nowMs);
    if (forMs > 0) fleet.apply({ kind: 'paused', forMs });
    this.#handle(message, nowMs);
    neighbours?.changed();
    if (fleet.isClosing) drain.look(requests.open);
    if (ticker.isResting && !isAtRest(fleet, nowMs)) ticker.wake(nowMs);
  }

  refuseAll(): void {
    const { fleet, effects } = this.#parts;
    effects.carryOut(refuseAll(fleet, this.#context.clock.monotonic()));
  }

  #handle(message: RouterMessage, nowMs: number): void {
    const { fleet, requests, links, writes, effects, drain, cordon, ticker, stepper, neighbours, relays } = this.#parts;
    switch (message.kind) {
      case 'request':
        return requests.accept(message.request, nowMs);
      case 'link-reply':
        return requests.reply(message, nowMs);
      case 'link-error':
        requests.error(message, nowMs);
        // Enough of these in a row and R2 ejects the VM.
        return stepper.ask();
      case 'link-orphaned-reply':
        return requests.orphanedReply(message, nowMs);
      case 'link-ready':
      case 'link-opened':
        return this.#ready(links.on(message, nowMs), nowMs);
      case 'vm-answering':
        // It is ready with its link.
        return effects.carryOut(reactionTo(fleet, message, nowMs, this.#context.clock.now()));
      case 'vm-report':
      case 'host-stats':
        // What follows from figures waits for the next look.
        return effects.carryOut(reactionTo(fleet, message, nowMs, this.#context.clock.now()));
      case 'write-again':
        return writes.again(message.vm);
      case 'remove-address':
        return void message.replyTo.tell(fleet.apply({ kind: 'address-removed', id: message.id }));
      case 'cordon':
        cordon.isOn = message.on;
        fleet.apply({ kind: 'cordoned', on: message.on });
        message.replyTo.tell(true);
        return requests.serveWaiting(nowMs);
      case 'drain':
        drain.ask(message.replyTo);
        fleet.apply({ kind: 'closing' });
        if (message.limitMs === 0) return this.refuseAll();
        this.#context.after(message.limitMs, { kind: 'drain-limit' });
        return;
      case 'drain-limit':
        return this.refuseAll();
      case 'relay-due': {
        const overdue = relays?.overdue(message.number);
        return overdue === undefined ? undefined : effects.carryOut(onRelayOverdue(fleet, overdue, nowMs));
      }
      case 'tick':
        effects.carryOut(onDeadlines(fleet, fleet.requests.due(nowMs), nowMs));
        fleet.requests.cache.expire(nowMs);
        neighbours?.tick(nowMs);
        this.#step(nowMs);
        return ticker.next(
          nowMs,
          isAtRest(fleet, nowMs) && neighbours?.isAtRest() !== false,
          fleet.params.statusIntervalMs,
        );
      case 'step':
        return this.#step(nowMs);
      default:
        if (isNeighbourMessage(message)) return neighbours?.receive(message, nowMs);
        if (isQuery(message)) return answer(fleet, message, nowMs);
        if (isLinkState(message)) return this.#react(links.on(message, nowMs), nowMs);
        return this.#react(reactionTo(fleet, message, nowMs, this.#context.clock.now()), nowMs);
    }
  }

  /** A VM that is ready serves first: what the rules make of it, such as a spare in its place, can wait for the next look. */
  #ready(reaction: Reaction, nowMs: number): void {
    const { fleet, requests, effects, stepper } = this.#parts;
    effects.carryOut(reaction);
    requests.serveWaiting(nowMs);
    if (fleet.requests.waiting > 0) stepper.ask();
  }

  #react(reaction: Reaction, nowMs: number): void {
    const { requests, effects, stepper } = this.#parts;
    effects.carryOut(reaction);
    requests.serveWaiting(nowMs);
    stepper.ask();
  }

  #step(nowMs: number): void {
    const { requests, drain, stepper } = this.#parts;
    // From then on whoever closes us ends the VMs, or leaves them running, as was asked.
    if (drain.isDone) return;
    stepper.run(nowMs);
    // What R3 could give no VM may now fall back to R4.
    requests.serveWaiting(nowMs);
  }
}
