import { importsOf } from './layers.ts';
import type { Source } from './source.ts';

/**
 * The circles among the imports of some sources, imports of types included. For each group of files that reach each
 * other it gives the shortest circle through the group's first file, as `a.ts -> b.ts -> a.ts`.
 */
export function importCircles(sources: readonly Source[]): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  const graph = new Map(
    sources.map((source) => [source.path, importsOf(source).flatMap(({ path }) => (paths.has(path) ? path : []))]),
  );
  const reported = new Set<string>();
  return [...graph.keys()].sort().flatMap((path) => {
    const circle = reported.has(path) ? undefined : shortestCircle(graph, path);
    if (circle === undefined) return [];
    for (const member of membersOf(graph, path)) reported.add(member);
    return [circle.join(' -> ')];
  });
}

type Graph = ReadonlyMap<string, readonly string[]>;

/** Searches breadth first, so the first way back to `start` is the shortest. */
function shortestCircle(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (const at of open) {
    for (const next of graph.get(at) ?? []) {
      if (next === start) return [...wayTo(cameFrom, start, at), start];
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      open.push(next);
    }
  }
  return undefined;
}

function wayTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const way = [end];
  for (let at = end; at !== start; ) {
    at = cameFrom.get(at) ?? start;
    way.unshift(at);
  }
  return way;
}

/** The files that reach `path` and that `path` reaches. */
function membersOf(graph: Graph, path: string): string[] {
  return [...reachedFrom(graph, path)].filter((other) => reachedFrom(graph, other).has(path));
}

function reachedFrom(graph: Graph, start: string): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (const at of open) {
    for (const next of graph.get(at) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(next);
    }
  }
  return reached;
}
