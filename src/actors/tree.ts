import type { TreeNode } from './behaviour.ts';

/** An actor as the tree shows it. */
interface Shown extends Omit<TreeNode, 'children' | 'path'> {
  readonly name: string;
  readonly children: Iterable<Shown>;
}

interface GrowingNode extends TreeNode {
  readonly children: GrowingNode[];
}

/** The tree below an actor at the root. Neither its time nor its calls grow with the depth of an actor. */
export function treeOf(root: Shown): TreeNode {
  const tree = nodeOf(root, '/');
  const open: [Shown, GrowingNode][] = [[root, tree]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [actor, node] = next;
    const above = node === tree ? '' : node.path;
    for (const child of actor.children) {
      const below = nodeOf(child, `${above}/${child.name}`);
      node.children.push(below);
      open.push([child, below]);
    }
  }
  return tree;
}

function nodeOf({ state, depth, handled, restarts, shard }: Shown, path: string): GrowingNode {
  return { path, state, depth, handled, restarts, shard, children: [] };
}
