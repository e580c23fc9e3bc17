import { withFleet } from '../app/mod.ts';
import { rowIn } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import { VMS_MAX } from '../fleet/mod.ts';
import { askHosts, type Found, hostOf, tellVm } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flags, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { vmWord } from './vm-word.ts';

interface Concerned {
  readonly vms: readonly number[];
}

export const drainCommand: Command = {
  name: 'drain',
  summary: 'lets a VM, or all VMs of a host, finish their requests, then ends them',
  words: '[VM]',
  wordsMax: 1,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal drain 3', 'VM 3 gets no more requests and ends when it has none in flight'],
    ['shoal drain b/3', 'VM 3 of host b'],
    [
      'shoal drain --host b',
      'host b takes no more requests, and its VMs end when they have none in flight; `uncordon` ends that',
    ],
  ],
  run: ({ flags, words }) => {
    const host = hostOf(flags);
    if (words[0] === undefined && host !== undefined) return drainHost(flags, host);
    return tell(drainCommand, flags, words[0], 'drain', 'is drained');
  },
};

export const rmCommand: Command = {
  name: 'rm',
  summary: 'ends a VM at once; its requests are retried on another VM where that is allowed',
  words: 'VM',
  wordsMax: 1,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal rm 3', 'ends VM 3; another is started if fewer than the minimum are left'],
    ['shoal rm b/3', 'VM 3 of host b'],
  ],
  run: ({ flags, words }) => tell(rmCommand, flags, words[0], 'rm', 'is ended'),
};

export const restartCommand: Command = {
  name: 'restart',
  summary: 'replaces VMs one by one, each by a new one that is ready before the old one ends',
  words: '[VM]',
  wordsMax: 1,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal restart', 'all of them; of several hosts, each its own one by one'],
    ['shoal restart 3', 'VM 3 only'],
    ['shoal restart --host b', 'all of host b'],
  ],
  run: ({ flags, words }) => {
    if (words[0] !== undefined) return tell(restartCommand, flags, words[0], 'restart', 'is to be replaced');
    return tellHosts(flags, 'restart', {}, (told) => `VMs to be replaced: ${namesOf(told) || 'none'}`);
  },
};

export const scaleCommand: Command = {
  name: 'scale',
  summary: 'sets how many VMs each host keeps running (min_vm_count), and drains VMs beyond that',
  words: 'N',
  wordsMax: 1,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG],
  examples: [
    ['shoal scale 4', 'four VMs on each host; more start under load and end after it'],
    ['shoal scale 4 --host b', 'four on host b; the others keep what they have'],
  ],
  run: ({ flags, words }) => {
    const [word = ''] = words;
    const vms = /^\d{1,6}$/.test(word) ? Number(word) : Number.NaN;
    if (!(vms <= VMS_MAX))
      throw usage(scaleCommand, `expected a number of VMs from 0 to ${VMS_MAX}, got ${JSON.stringify(word)}`);
    return tellHosts(flags, 'scale', { vms }, (told) => {
      const hosts = told.map(({ host }) => host).join(', ');
      return told.length === 1 ? `min_vm_count is ${vms}` : `min_vm_count is ${vms} on each of ${hosts}`;
    });
  },
};

async function tell(
  command: Command,
  flags: Flags,
  word: string | undefined,
  verb: string,
  did: string,
): Promise<number> {
  const format = flags.oneOf('output', ['table', 'json']);
  const named = vmWord(command, flags, word);
  const { host, value, isMany }: Found = await tellVm(command, flags, named, verb);
  const { vms } = concerned(verb, value);
  const vm = isMany && host !== undefined ? `${host}/${named.vm}` : String(named.vm);
  if (format === 'json') printJson(verb === 'restart' ? { vms, hosts: [{ host, vms }] } : { host, vms });
  else printData(`VM ${vm} ${did}`);
  return 0;
}

interface Told extends Concerned {
  readonly host: string;
}

/** Tells every host, or that of `--host`. */
async function tellHosts(
  flags: Flags,
  verb: string,
  args: Readonly<Record<string, number>>,
  textOf: (told: readonly Told[]) => string,
): Promise<number> {
  const format = flags.oneOf('output', ['table', 'json']);
  const { values, exitCode } = await askHosts(flags, verb, args);
  const told = values.map(({ host, value }) => ({ host, vms: concerned(verb, value).vms }));
  if (format === 'json') printJson({ vms: told.flatMap(({ vms }) => vms), hosts: told });
  else printData(textOf(told));
  return exitCode;
}

async function drainHost(flags: Flags, host: string): Promise<number> {
  const format = flags.oneOf('output', ['table', 'json']);
  const value = await withFleet(fleetOf(flags), 'drain', ({ ask }) => ask('drain-host', {}, host));
  const { vms } = concerned('drain-host', value);
  if (format === 'json') printJson({ host, vms });
  else printData(`host ${host} takes no more requests; VMs to be drained: ${vms.join(', ') || 'none'}`);
  return 0;
}

function namesOf(told: readonly Told[]): string {
  return told.flatMap(({ host, vms }) => vms.map((vm) => (told.length > 1 ? `${host}/${vm}` : String(vm)))).join(', ');
}

function concerned(verb: string, value: unknown): Concerned {
  const reply = rowIn<Concerned>(verb, value, {});
  if (!Array.isArray(reply.vms)) throw new ShoalError('NATS_MESSAGE_INVALID', `The reply to "${verb}" names no VMs`);
  return reply;
}
