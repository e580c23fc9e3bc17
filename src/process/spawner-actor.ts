import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, toEnvelope } from '../errors.ts';
import type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';

/** A spawner as messages, for whoever lives on another thread. */
export type SpawnerMessage =
  | { readonly kind: 'spawn'; readonly request: SpawnRequest; readonly replyTo: Ref<SpawnOutcome> }
  /** The end of the process is told to `to`, once. */
  | { readonly kind: 'watch'; readonly identity: ProcessIdentity; readonly to: Ref<ProcessExit> };

export type SpawnOutcome =
  | { readonly ok: true; readonly identity: ProcessIdentity }
  | { readonly ok: false; readonly error: ErrorEnvelope };

/** Spawns for others, and knows what is under way: whoever asked may be gone before the process is there. */
export class SpawnService {
  readonly #spawner: Spawner;
  readonly #underWay = new Set<Promise<void>>();

  constructor(spawner: Spawner) {
    this.#spawner = spawner;
  }

  behaviour(): Behaviour<SpawnerMessage> {
    return () => (message) => {
      if (message.kind === 'watch') this.#spawner.onExit(message.identity, (exit) => message.to.tell(exit));
      else this.#spawn(message.request, message.replyTo);
    };
  }

  /** Resolves when nothing that has been asked for so far is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay]);
  }

  #spawn(request: SpawnRequest, replyTo: Ref<SpawnOutcome>): void {
    const spawning = this.#spawner.spawn(request).then(
      (identity) => void replyTo.tell({ ok: true, identity }),
      (error: unknown) => void replyTo.tell({ ok: false, error: toEnvelope(error) }),
    );
    this.#underWay.add(spawning);
    void spawning.then(() => this.#underWay.delete(spawning));
  }
}

/** Above what the launcher gives itself. */
const SPAWN_TIMEOUT_MS = 15_000;

/** The spawner behind such an actor. */
export function spawnerBehind(system: ActorSystem, actor: Ref<SpawnerMessage>): Spawner {
  return {
    async spawn(request) {
      const toMessage = (replyTo: Ref<SpawnOutcome>): SpawnerMessage => ({ kind: 'spawn', request, replyTo });
      const outcome = await system.ask(actor, toMessage, SPAWN_TIMEOUT_MS);
      if (outcome.ok) return outcome.identity;
      throw fromEnvelope(outcome.error);
    },
    onExit(identity, listener) {
      const to: Ref<ProcessExit> = {
        path: `/exit-of-${identity.pid}`,
        tell: (exit) => {
          listener(exit);
          return true;
        },
      };
      actor.tell({ kind: 'watch', identity, to });
    },
    // It is not ours.
    close: () => Promise.resolve(),
  };
}
