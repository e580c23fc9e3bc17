import { askFleet } from '../app/mod.ts';
import { rowIn } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import { VMS_MAX } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { vmWord } from './vm-word.ts';

interface Concerned {
  readonly vms: readonly number[];
}

export const drainCommand: Command = {
  name: 'drain',
  summary: 'lets a VM finish its requests, then ends it',
  words: 'VM',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal drain 3', 'VM 3 gets no more requests and ends when it has none in flight']],
  run: ({ flags, words }) => {
    const vm = vmWord(drainCommand, words[0]);
    return tell(flags, 'drain', { vm }, () => `VM ${vm} is drained`);
  },
};

export const rmCommand: Command = {
  name: 'rm',
  summary: 'ends a VM at once; its requests are retried on another VM where that is allowed',
  words: 'VM',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal rm 3', 'ends VM 3; another is started if fewer than the minimum are left']],
  run: ({ flags, words }) => {
    const vm = vmWord(rmCommand, words[0]);
    return tell(flags, 'rm', { vm }, () => `VM ${vm} is ended`);
  },
};

export const restartCommand: Command = {
  name: 'restart',
  summary: 'replaces VMs one by one, each by a new one that is ready before the old one ends',
  words: '[VM]',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal restart', 'all of them'],
    ['shoal restart 3', 'VM 3 only'],
  ],
  run: ({ flags, words }) => {
    const args = words[0] === undefined ? {} : { vm: vmWord(restartCommand, words[0]) };
    return tell(flags, 'restart', args, ({ vms }) => `VMs to be replaced: ${vms.join(', ') || 'none'}`);
  },
};

export const scaleCommand: Command = {
  name: 'scale',
  summary: 'sets how many VMs are kept running (min_vm_count), and drains VMs beyond that',
  words: 'N',
  wordsMax: 1,
  flags: [...FIND_FLAGS, OUTPUT_FLAG],
  examples: [['shoal scale 4', 'four VMs; more start under load and end after it']],
  run: ({ flags, words }) => {
    const [word = ''] = words;
    const vms = /^\d{1,6}$/.test(word) ? Number(word) : Number.NaN;
    if (!(vms <= VMS_MAX))
      throw usage(scaleCommand, `expected a number of VMs from 0 to ${VMS_MAX}, got ${JSON.stringify(word)}`);
    return tell(flags, 'scale', { vms }, () => `min_vm_count is ${vms}`);
  },
};

async function tell(
  flags: Parameters<Command['run']>[0]['flags'],
  verb: string,
  args: Readonly<Record<string, number>>,
  textOf: (reply: Concerned) => string,
): Promise<number> {
  const format = flags.oneOf('output', ['table', 'json']);
  const reply = rowIn<Concerned>(verb, await askFleet(fleetOf(flags), verb, args), {});
  if (!Array.isArray(reply.vms)) throw new ShoalError('NATS_MESSAGE_INVALID', `The reply to "${verb}" names no VMs`);
  if (format === 'json') printJson(reply);
  else printData(textOf(reply));
  return 0;
}
