import { resolve } from 'node:path';
import { type Check, defaultDataDir, defaultImage, examine, rememberedAccelerator } from '../app/mod.ts';
import { type Command, DATA_FLAG, OUTPUT_FLAG } from './command.ts';
import { printJson, printText } from './output.ts';

const MARKS: Readonly<Record<Check['state'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'checks that this machine has all that Shoal needs, and names the remedy where it does not',
  words: '',
  wordsMax: 0,
  flags: [DATA_FLAG, { name: 'image', value: 'FILE', about: 'guest image (default: the built-in one)' }, OUTPUT_FLAG],
  examples: [
    ['shoal doctor', 'exits 0 if Shoal can run here, 1 if not'],
    ['shoal doctor -o json', 'the same for a program'],
  ],
  async run({ flags }) {
    const image = resolve(flags.text('image') ?? defaultImage());
    const dataDir = resolve(flags.text('data') ?? defaultDataDir());
    const format = flags.oneOf('output', ['table', 'json']);
    const checks = await examine({ image, dataDir, accelerator: await rememberedAccelerator(image) });
    if (format === 'json') printJson(checks);
    else printText(checks.map(lineOf).join('\n'));
    return checks.some((check) => check.state === 'fail') ? 1 : 0;
  },
};

function lineOf({ name, state, found, remedy }: Check): string {
  const line = `${MARKS[state]}  ${name.padEnd(14)}  ${found}`;
  return remedy === undefined ? line : `${line}\n      ${''.padEnd(14)}  -> ${remedy}`;
}
