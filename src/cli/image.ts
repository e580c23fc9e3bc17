import { resolve } from 'node:path';
import { defaultDataDir, defaultImage, findRunning, rememberedAccelerator } from '../app/mod.ts';
import { shortBytes } from '../console/mod.ts';
import { inspectImage } from '../hypervisor/mod.ts';
import { type Command, FIND_FLAGS, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { DEPLOY_FLAGS, deployImage, imageStatus, rollBackImage } from './image-deploy.ts';
import { printJson, printText } from './output.ts';
import { usage } from './parse.ts';

export const imageCommand: Command = {
  name: 'image',
  summary: 'checks a guest image, and replaces that of the running VMs one by one',
  words: '[FILE] | deploy FILE | rollback | status',
  wordsMax: 2,
  flags: [HOST_FLAG, ...FIND_FLAGS, OUTPUT_FLAG, ...DEPLOY_FLAGS],
  examples: [
    ['shoal image', 'the built-in one'],
    ['shoal image my-service.elf', 'exits 1 if QEMU cannot boot it; ./deploy is a file, deploy is not'],
    ['shoal image deploy my-service.elf --wait', 'VM by VM, without losing a request; back to the old one if it fails'],
    ['shoal image deploy my-service.elf --canary 3 --canary-time 60', 'three VMs try it for a minute first'],
    ['shoal image status', 'which image runs, and how far a deploy is'],
    ['shoal image rollback --wait', 'gives up the deploy that runs, or undoes the last one'],
  ],
  async run({ flags, words: [word, file] }) {
    switch (word) {
      case 'deploy':
        return deployImage(imageCommand, flags, file);
      case 'rollback':
        none(file);
        return rollBackImage(flags);
      case 'status':
        none(file);
        return imageStatus(flags);
    }
    none(file);
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

function none(word: string | undefined): void {
  if (word !== undefined) throw usage(imageCommand, `unexpected argument ${JSON.stringify(word)}`);
}
