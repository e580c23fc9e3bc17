import type { Behaviour, Context } from '../../actors/mod.ts';
import { onRelayOverdue } from '../policy/control.ts';
import { onDeadlines, refuseAll } from '../policy/expiry.ts';
import type { Reaction } from '../policy/reaction.ts';
import { isAtRest } from '../policy/rest.ts';
import { Fleet } from '../state/fleet.ts';
import { Drain } from './drain.ts';
import { Effects } from './effects.ts';
import { reactionTo } from './inputs.ts';
import { isLinkState, LinkReactions } from './link-reactions.ts';
import { Links } from './links.ts';
import { isNeighbourMessage, Neighbourhood } from './neighbourhood.ts';
import { answer, isQuery } from './queries.ts';
import { Relays } from './relays.ts';
import { RequestPath } from './request-path.ts';
import type { RouterMessage } from './router-messages.ts';
import type { RouterOptions } from './router-options.ts';
import { Stepper } from './stepper.ts';
import { StoreWrites } from './store-writes.ts';
import { Ticker } from './ticker.ts';

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
  readonly #fleet: Fleet;
  readonly #cordon: { isOn: boolean };
  readonly #requests: RequestPath;
  readonly #writes: StoreWrites;
  readonly #links: LinkReactions;
  readonly #effects: Effects;
  readonly #drain = new Drain();
  readonly #ticker: Ticker;
  readonly #stepper: Stepper;
  readonly #neighbours: Neighbourhood | undefined;
  readonly #relays: Relays | undefined;

  constructor(context: Context<RouterMessage>, options: RouterOptions) {
    const { clock } = context;
    this.#context = context;
    const control = options.relays === undefined ? 'direct' : 'relay';
    this.#fleet = new Fleet({ ...options, control, nowMs: clock.monotonic() });
    this.#cordon = options.cordon ?? { isOn: false };
    this.#fleet.apply({ kind: 'cordoned', on: this.#cordon.isOn });
    const links = new Links(context, options.openLink);
    this.#requests = new RequestPath(this.#fleet, links, clock, options, () => this.#stepper.ask());
    this.#writes = new StoreWrites(context, options);
    const cancel = (host: string, frame: number): void => this.#neighbours?.cancel(host, frame);
    const { relays } = options;
    if (relays !== undefined) this.#relays = new Relays(context, links, relays, options.controller);
    this.#effects = new Effects(
      this.#fleet,
      clock,
      links,
      this.#writes,
      this.#requests,
      options,
      { cancel },
      this.#relays,
    );
    const { neighbours: port } = options;
    const carryOut = (reaction: Reaction): void => this.#effects.carryOut(reaction);
    const parts = { context, fleet: this.#fleet, path: this.#requests, carryOut };
    if (port !== undefined) this.#neighbours = new Neighbourhood({ ...parts, port });
    this.#links = new LinkReactions(this.#fleet, links);
    this.#ticker = new Ticker(context);
    this.#stepper = new Stepper(context, this.#fleet, this.#effects, options);
    this.#stepper.ask();
  }

  receive(message: RouterMessage): void {
    const nowMs = this.#context.clock.monotonic();
    // First of all: no message of that time may be judged as if we had been there.
    const forMs = this.#ticker.pausedMs(nowMs);
    if (forMs > 0) this.#fleet.apply({ kind: 'paused', forMs });
    this.#handle(message, nowMs);
    this.#neighbours?.changed();
    if (this.#fleet.isClosing) this.#drain.look(this.#requests.open);
    if (this.#ticker.isResting && !isAtRest(this.#fleet, nowMs)) this.#ticker.wake(nowMs);
  }

  refuseAll(): void {
    this.#effects.carryOut(refuseAll(this.#fleet, this.#context.clock.monotonic()));
  }

  #handle(message: RouterMessage, nowMs: number): void {
    switch (message.kind) {
      case 'request':
        return this.#requests.accept(message.request, nowMs);
      case 'link-reply':
        return this.#requests.reply(message, nowMs);
      case 'link-error':
        this.#requests.error(message, nowMs);
        // Enough of these in a row and R2 ejects the VM.
        return this.#stepper.ask();
      case 'link-orphaned-reply':
        return this.#requests.orphanedReply(message, nowMs);
      case 'link-ready':
        return this.#ready(this.#links.on(message, nowMs), nowMs);
      case 'vm-report':
      case 'host-stats':
        // What follows from figures waits for the next look.
        return this.#effects.carryOut(reactionTo(this.#fleet, message, nowMs, this.#context.clock.now()));
      case 'write-again':
        return this.#writes.again(message.vm);
      case 'remove-address':
        return void message.replyTo.tell(this.#fleet.apply({ kind: 'address-removed', id: message.id }));
      case 'cordon':
        this.#cordon.isOn = message.on;
        this.#fleet.apply({ kind: 'cordoned', on: message.on });
        message.replyTo.tell(true);
        return this.#requests.serveWaiting(nowMs);
      case 'drain':
        this.#drain.ask(message.replyTo);
        this.#fleet.apply({ kind: 'closing' });
        if (message.limitMs === 0) return this.refuseAll();
        this.#context.after(message.limitMs, { kind: 'drain-limit' });
        return;
      case 'drain-limit':
        return this.refuseAll();
      case 'relay-due': {
        const overdue = this.#relays?.overdue(message.number);
        return overdue === undefined ? undefined : this.#effects.carryOut(onRelayOverdue(this.#fleet, overdue, nowMs));
      }
      case 'tick':
        this.#effects.carryOut(onDeadlines(this.#fleet, this.#fleet.requests.due(nowMs), nowMs));
        this.#fleet.requests.cache.expire(nowMs);
        this.#neighbours?.tick(nowMs);
        this.#step(nowMs);
        return this.#ticker.next(
          nowMs,
          isAtRest(this.#fleet, nowMs) && this.#neighbours?.isAtRest() !== false,
          this.#fleet.params.statusIntervalMs,
        );
      case 'step':
        return this.#step(nowMs);
      default:
        if (isNeighbourMessage(message)) return this.#neighbours?.receive(message, nowMs);
        if (isQuery(message)) return answer(this.#fleet, message, nowMs);
        if (isLinkState(message)) return this.#react(this.#links.on(message, nowMs), nowMs);
        return this.#react(reactionTo(this.#fleet, message, nowMs, this.#context.clock.now()), nowMs);
    }
  }

  /** A VM that is ready serves first: what the rules make of it, such as a spare in its place, can wait for the next look. */
  #ready(reaction: Reaction, nowMs: number): void {
    this.#effects.carryOut(reaction);
    this.#requests.serveWaiting(nowMs);
    if (this.#fleet.requests.waiting > 0) this.#stepper.ask();
  }

  #react(reaction: Reaction, nowMs: number): void {
    this.#effects.carryOut(reaction);
    this.#requests.serveWaiting(nowMs);
    this.#stepper.ask();
  }

  #step(nowMs: number): void {
    // From then on whoever closes us ends the VMs, or leaves them running, as was asked.
    if (this.#drain.isDone) return;
    this.#stepper.run(nowMs);
    // What R3 could give no VM may now fall back to R4.
    this.#requests.serveWaiting(nowMs);
  }
}
