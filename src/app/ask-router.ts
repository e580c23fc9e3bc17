import type { ActorSystem, Ref } from '../actors/mod.ts';
import type { FleetSnapshot, RouterMessage } from '../fleet/mod.ts';

export interface HasRouter {
  readonly system: ActorSystem;
  readonly router: Ref<RouterMessage>;
}

/** What the router knows of its fleet. @throws ACTOR_ASK_TIMEOUT, ACTOR_STOPPED */
export function askSnapshot({ system, router }: HasRouter, timeoutMs: number): Promise<FleetSnapshot> {
  const toMessage = (replyTo: Ref<FleetSnapshot>): RouterMessage => ({ kind: 'snapshot', replyTo });
  return system.ask(router, toMessage, timeoutMs);
}
