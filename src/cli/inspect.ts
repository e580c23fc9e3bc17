import { type ActorRow, type ActorRows, askFleet } from '../app/mod.ts';
import { inspectLines, rowIn, rowsIn } from '../console/mod.ts';
import { actorTable } from './actor-table.ts';
import { type Command, FIND_FLAGS, type Flag, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { vmWord } from './vm-word.ts';

const TREE_FLAG: Flag = { name: 'tree', about: 'the actors of the fleet instead: state, messages, restarts, thread' };

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'shows all that is known of one VM, with its latest events and the end of its log, or the tree of actors',
  words: '[VM]',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG, TREE_FLAG],
  examples: [
    ['shoal inspect 1', 'state, load, process, image, events, log'],
    ['shoal inspect --tree', 'the tree of actors, with what each has done and what waits for it'],
  ],
  async run({ flags, words }) {
    const format = flags.oneOf('output', ['table', 'json']);
    if (flags.has('tree')) {
      if (words[0] !== undefined) throw usage(inspectCommand, 'give either the number of a VM or --tree, not both');
      const rows = treeIn(await askFleet(fleetOf(flags), 'tree', {}));
      if (format === 'json') printJson(rows);
      else printData(actorTable(rows));
      return 0;
    }
    const vm = vmWord(inspectCommand, words[0]);
    const known = rowIn<Record<string, unknown>>('inspect', await askFleet(fleetOf(flags), 'inspect', { vm }), {});
    if (format === 'json') printJson(known);
    else printData(inspectLines(known).map(printable).join('\n'));
    return 0;
  },
};

function treeIn(reply: unknown): ActorRows {
  const tree = rowIn<ActorRows>('tree', reply, { left_out: 'number' });
  rowsIn<ActorRow>('tree', tree.actors, { path: 'string', state: 'string', shard: 'string' });
  return tree;
}
