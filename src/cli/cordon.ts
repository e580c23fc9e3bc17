import { askFleet } from '../app/mod.ts';
import { checkHostName } from '../transport/mod.ts';
import { type Command, FIND_FLAGS, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson } from './output.ts';
import { usage } from './parse.ts';

const COMMON = { words: 'HOST', wordsMax: 1, flags: [...FIND_FLAGS, OUTPUT_FLAG] };

export const cordonCommand: Command = {
  ...COMMON,
  name: 'cordon',
  summary: 'keeps requests away from a host: others take them; its VMs stay, and finish what they have',
  examples: [['shoal cordon b', 'host b gets no more requests, until `shoal uncordon b` or its next start']],
  run: (input) => set(cordonCommand, input, true),
};

export const uncordonCommand: Command = {
  ...COMMON,
  name: 'uncordon',
  summary: 'lets a host have requests again, and VMs if it was drained',
  examples: [['shoal uncordon b', 'ends what `shoal cordon b` or `shoal drain --host b` began']],
  run: (input) => set(uncordonCommand, input, false),
};

async function set(command: Command, { flags, words }: Invocation, on: boolean): Promise<number> {
  const format = flags.oneOf('output', ['table', 'json']);
  if (words[0] === undefined) throw usage(command, 'give the name of a host; `shoal hosts` lists them');
  const host = checkHostName(words[0]);
  await askFleet(fleetOf(flags), 'cordon', { on }, host);
  if (format === 'json') printJson({ host, cordoned: on });
  else printData(on ? `host ${host} gets no more requests` : `host ${host} gets requests again`);
  return 0;
}
