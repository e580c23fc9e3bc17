import type { ActorRow, ActorRows } from '../app/mod.ts';
import { type Column, table } from './output.ts';

const COLUMNS: readonly Column<ActorRow>[] = [
  { title: 'ACTOR', cell: ({ path }) => indented(path) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'WAITING', align: 'right', cell: ({ depth }) => String(depth) },
  { title: 'HANDLED', align: 'right', cell: ({ handled }) => String(handled) },
  { title: 'RESTARTS', align: 'right', cell: ({ restarts }) => String(restarts) },
  { title: 'SHARD', cell: ({ shard }) => shard },
];

/** The tree of actors, one line each. */
export function actorTable({ actors, left_out }: ActorRows): string {
  const lines = table(COLUMNS, actors);
  return left_out === 0 ? lines : `${lines}and ${left_out} more\n`;
}

/** The actor's name, indented below its parent's. */
function indented(path: string): string {
  if (path === '/') return path;
  const names = path.slice(1).split('/');
  return `${'  '.repeat(names.length)}${names.at(-1)}`;
}
