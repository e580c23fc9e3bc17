import type { Context } from '../../actors/mod.ts';
import type { Reaction } from '../policy/reaction.ts';
import { Fleet } from '../state/fleet.ts';
import { Drain } from './drain.ts';
import { Effects } from './effects.ts';
import { LinkReactions } from './link-reactions.ts';
import { Links } from './links.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { Relays } from './relays.ts';
import { RequestPath } from './request-path.ts';
import type { RouterMessage } from './router-messages.ts';
import type { RouterOptions } from './router-options.ts';
import { Stepper } from './stepper.ts';
import { StoreWrites } from './store-writes.ts';
import { Ticker } from './ticker.ts';

/** What a router is made of. */
export interface RouterParts {
  readonly fleet: Fleet;
  readonly requests: RequestPath;
  readonly writes: StoreWrites;
  readonly links: LinkReactions;
  readonly effects: Effects;
  readonly drain: Drain;
  readonly ticker: Ticker;
  readonly stepper: Stepper;
  /** Outlives the router. */
  readonly cordon: { isOn: boolean };
  /** Undefined in a fleet of one host. */
  readonly neighbours: Neighbourhood | undefined;
  /** Undefined unless commands go through guests (R10). */
  readonly relays: Relays | undefined;
}

/** Makes the parts of a router, and tells each of those that it needs. */
export function partsOf(context: Context<RouterMessage>, options: RouterOptions): RouterParts {
  const { clock } = context;
  const { cordon = { isOn: false }, neighbours: port } = options;
  const control = options.relays === undefined ? 'direct' : 'relay';
  const fleet = new Fleet({ ...options, control, nowMs: clock.monotonic() });
  fleet.apply({ kind: 'cordoned', on: cordon.isOn });
  const links = new Links(context, options.openLink);
  const requests = new RequestPath(fleet, links, clock, options, () => stepper.ask());
  const writes = new StoreWrites(context, options);
  const relays = options.relays && new Relays(context, links, options.relays, options.controller);
  const cancel = (host: string, frame: number): void => neighbours?.cancel(host, frame);
  const effects = new Effects(fleet, clock, links, writes, requests, options, { cancel }, relays);
  const carryOut = (reaction: Reaction): void => effects.carryOut(reaction);
  const neighbours = port && new Neighbourhood({ context, fleet, path: requests, carryOut, port });
  const stepper = new Stepper(context, fleet, effects, options);
  return {
    fleet,
    requests,
    writes,
    links: new LinkReactions(fleet, links),
    effects,
    drain: new Drain(),
    ticker: new Ticker(context),
    stepper,
    cordon,
    neighbours,
    relays,
  };
}
