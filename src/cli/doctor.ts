import { resolve } from 'node:path';
import {
  type Check,
  checkImageHere,
  defaultDataDir,
  defaultImage,
  examine,
  rememberedAccelerator,
} from '../app/mod.ts';
import { loadImage, type ProfileChoice } from '../hypervisor/mod.ts';
import { type Command, DATA_FLAG, OUTPUT_FLAG, PROFILE_FLAGS } from './command.ts';
import { printJson, printText } from './output.ts';
import { profileChoice } from './settings.ts';
import { interruption } from './signals.ts';

const MARKS: Readonly<Record<Check['state'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'checks that this machine has all that Shoal needs, and names the remedy where it does not',
  words: '',
  wordsMax: 0,
  flags: [
    DATA_FLAG,
    {
      name: 'image',
      value: 'FILE',
      about: 'guest image, which is booted once (default: the built-in one, which is not)',
    },
    ...PROFILE_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal doctor', 'exits 0 if Shoal can run here, 1 if not'],
    ['shoal doctor -o json', 'the same for a program'],
    ['shoal doctor --image my-service.elf', 'looks at an image of your own as `shoal image check` does'],
  ],
  async run({ flags }) {
    const image = resolve(flags.text('image') ?? defaultImage());
    const dataDir = resolve(flags.text('data') ?? defaultDataDir());
    const format = flags.oneOf('output', ['table', 'json']);
    const choice = profileChoice(doctorCommand, flags);
    const checks = await examine({
      ...{ image, dataDir, accelerator: await rememberedAccelerator(image, choice) },
      load: () => loadImage(image, choice),
      tryOut: flags.text('image') === undefined ? undefined : () => tryOut(image, choice),
    });
    if (format === 'json') printJson(checks);
    else printText(checks.map(lineOf).join('\n'));
    return checks.some((check) => check.state === 'fail') ? 1 : 0;
  },
};

async function tryOut(image: string, choice: ProfileChoice): Promise<{ wrong: readonly string[]; found: string }> {
  const { signal, over } = interruption();
  try {
    const { points, accelerator } = await checkImageHere(image, { ...choice, signal });
    const wrong = points.flatMap(({ name, state, why }) => (state === 'failed' ? [`${name}: ${why}`] : []));
    const kept = points.filter(({ state }) => state === 'ok').length;
    return { wrong, found: `${image} keeps the guest contract under ${accelerator} (${kept} points)` };
  } finally {
    over();
  }
}

function lineOf({ name, state, found, remedy }: Check): string {
  const line = `${MARKS[state]}  ${name.padEnd(14)}  ${found}`;
  return remedy === undefined ? line : `${line}\n      ${''.padEnd(14)}  -> ${remedy}`;
}
