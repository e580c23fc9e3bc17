import { resolve } from 'node:path';
import { defaultDataDir, defaultImage, findRunning, rememberedAccelerator } from '../app/mod.ts';
import { shortBytes } from '../console/mod.ts';
import { inspectImage } from '../hypervisor/mod.ts';
import { type Command, DATA_FLAG, OUTPUT_FLAG } from './command.ts';
import { printJson, printText } from './output.ts';

export const imageCommand: Command = {
  name: 'image',
  summary: 'checks a guest image and shows its digest and the accelerator that it would use here',
  words: '[FILE]',
  wordsMax: 1,
  flags: [DATA_FLAG, OUTPUT_FLAG],
  examples: [
    ['shoal image', 'the built-in one'],
    ['shoal image my-service.elf', 'exits 1 if QEMU cannot boot it'],
  ],
  async run({ flags, words: [word] }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const builtIn = defaultImage();
    const { path, bytes, digest } = await inspectImage(resolve(word ?? builtIn));
    const accelerator = (await rememberedAccelerator(path)) ?? null;
    const running = findRunning(resolve(flags.text('data') ?? defaultDataDir()))?.image;
    const running_digest = running?.path === path ? running.digest : null;
    if (json) {
      printJson({ path, bytes, digest, built_in: path === builtIn, accelerator, running_digest });
      return 0;
    }
    const rows = [
      ['path', path === builtIn ? `${path} (built-in)` : path],
      ['size', shortBytes(bytes)],
      ['digest', digest],
      ['accelerator', accelerator ?? 'the first `shoal up` with it measures'],
      ...(running_digest === null || running_digest === digest
        ? []
        : [['running', `${running_digest}: the file has changed; the next \`shoal up\` runs it`]]),
    ];
    printText(rows.map(([name = '', value]) => `${name.padEnd(11)}  ${value}`).join('\n'));
    return 0;
  },
};
