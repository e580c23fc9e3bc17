import type { TreeNode } from '../../actors/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import type { AdminDeps } from './deps.ts';

/** One actor as `shoal inspect --tree` shows it. */
export type ActorRow = Omit<TreeNode, 'children'>;

export interface ActorRows {
  /** Each actor before its children, in the order in which they started. */
  readonly actors: readonly ActorRow[];
  /** Number of actors beyond the limit of one answer. */
  readonly left_out: number;
}

/** An actor takes some 150 bytes, and a NATS message 1 MB by default. */
const ACTORS_MAX = 5_000;

/** Verbs about the actors of this process. */
export function actorHandlers({ system }: AdminDeps): Readonly<Record<string, AdminHandler>> {
  return { tree: () => Promise.resolve(actorRows(system.tree())) };
}

export function actorRows(tree: TreeNode, actorsMax = ACTORS_MAX): ActorRows {
  const actors = [...rowsOf(tree)];
  return { actors: actors.slice(0, actorsMax), left_out: Math.max(0, actors.length - actorsMax) };
}

function* rowsOf({ children, ...row }: TreeNode): Iterable<ActorRow> {
  yield row;
  for (const child of children) yield* rowsOf(child);
}
