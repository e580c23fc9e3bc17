import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, toEnvelope } from '../errors.ts';
import type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';

/** The messages of the spawn service, for actors on other threads. */
export type SpawnerMessage =
  | { readonly kind: 'spawn'; readonly request: SpawnRequest; readonly replyTo: Ref<SpawnOutcome> }
  /** `to` is told once, when the process has ended. */
  | { readonly kind: 'watch'; readonly identity: ProcessIdentity; readonly to: Ref<ProcessExit> };

export type SpawnOutcome =
  | { readonly ok: true; readonly identity: ProcessIdentity }
  | { readonly ok: false; readonly error: ErrorEnvelope };

/** Spawns for actors on other threads. It knows the spawns under way, because an actor may be gone before its process exists. */
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

  /** Resolves when all spawns asked for so far are done. */
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

/** Above the launcher's own limit. */
const SPAWN_TIMEOUT_MS = 15_000;

/** A spawner that asks the spawn service. */
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
    // The launcher belongs to the main thread.
    close: () => Promise.resolve(),
  };
}
