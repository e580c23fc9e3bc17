import { type ActorRow, type ActorRows, withFleet } from '../app/mod.ts';
import { inspectLines, rowIn, rowsIn } from '../console/mod.ts';
import { actorTable } from './actor-table.ts';
import { askVm, onlyHost } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flag, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { vmWord } from './vm-word.ts';

const TREE_FLAG: Flag = { name: 'tree', about: 'the actors of a host instead: state, messages, restarts, thread' };

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'shows everything about one VM, with its latest events and the end of its log, or the tree of actors',
  words: '[VM]',
  wordsMax: 1,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG, TREE_FLAG],
  examples: [
    ['shoal inspect 1', 'state, load, process, image, events, log'],
    ['shoal inspect b/1', 'VM 1 of host b'],
    ['shoal inspect --tree', 'the tree of actors, with the messages that each has handled and has waiting'],
  ],
  async run({ flags, words }) {
    const format = flags.oneOf('output', ['table', 'json']);
    if (flags.has('tree')) {
      if (words[0] !== undefined) throw usage(inspectCommand, 'give either the number of a VM or --tree, not both');
      const tree = await withFleet(fleetOf(flags), 'tree', async (calls) => {
        return calls.ask('tree', {}, await onlyHost(inspectCommand, flags, calls));
      });
      const rows = treeIn(tree);
      if (format === 'json') printJson(rows);
      else printData(actorTable(rows));
      return 0;
    }
    const { value } = await askVm(inspectCommand, flags, vmWord(inspectCommand, flags, words[0]), 'inspect');
    const known = rowIn<Record<string, unknown>>('inspect', value, {});
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
