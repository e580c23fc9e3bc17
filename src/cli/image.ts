import { resolve } from 'node:path';
import { checkImageHere, defaultDataDir, defaultImage, findRunning, rememberedAccelerator } from '../app/mod.ts';
import { shortBytes } from '../console/mod.ts';
import {
  type CheckPoint,
  companionField,
  type LoadedImage,
  loadImage,
  profileText,
  SHIPPED_PROFILES,
} from '../hypervisor/mod.ts';
import {
  type Command,
  FIND_FLAGS,
  type Flags,
  HOST_FLAG,
  NETWORK_FLAG,
  OUTPUT_FLAG,
  PROFILE_FLAGS,
  QEMU_FLAG,
} from './command.ts';
import { refuseForeign, type TakenFlags } from './foreign-flags.ts';
import { DEPLOY_FLAGS, deployImage, imageStatus, rollBackImage } from './image-deploy.ts';
import { withImage } from './image-of-service.ts';
import { printable, printJson, printText } from './output.ts';
import { usage } from './parse.ts';
import { machineChoice, profileChoice } from './settings.ts';
import { interruption } from './signals.ts';

const MARKS: Readonly<Record<CheckPoint['state'], string>> = { ok: 'ok     ', failed: 'FAILED ', skipped: 'skipped' };
const NAMES = Object.keys(SHIPPED_PROFILES);

export const imageCommand: Command = {
  name: 'image',
  summary: 'shows or checks a guest image and its profile, and replaces that of the running VMs one by one',
  words: '[check|profile|deploy] [FILE|NAME] | rollback | status',
  wordsMax: 2,
  flags: [
    HOST_FLAG,
    ...FIND_FLAGS,
    ...PROFILE_FLAGS,
    {
      name: 'accel',
      value: 'NAME',
      choices: ['auto', 'kvm', 'tcg'],
      about: 'for check: auto, kvm or tcg (default: auto, which does not measure here)',
    },
    NETWORK_FLAG,
    QEMU_FLAG,
    ...DEPLOY_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal image', 'the built-in one'],
    ['shoal image my-service.elf', 'exits 1 if QEMU cannot boot it'],
    ['shoal image check my-service.elf', 'boots it once; a line for each point, exits 1 if one fails'],
    ['shoal image deploy my-service.elf --wait', 'VM by VM, without losing a request; back to the old one if it fails'],
    ['shoal image deploy my-service.elf --canary 3 --canary-time 60', 'three VMs try it for a minute first'],
    ['shoal image deploy hello.ts --wait', 'the same for a service, which is built first'],
    ['shoal image status', 'which image runs, and how far a deploy is'],
    ['shoal image rollback --wait', 'gives up the deploy that runs, or undoes the last one'],
    ['shoal image profile includeos > my-service.shoal.json', 'a profile to change'],
  ],
  async run({ flags, words: [first, second] }) {
    checkFlags(flags, first);
    if (first === 'check') return withImage(resolve(second ?? defaultImage()), (path) => check(flags, path));
    if (first === 'profile') return profile(second);
    if (first === 'deploy') return deployImage(imageCommand, flags, second);
    if (second === undefined && first === 'rollback') return rollBackImage(flags);
    if (second === undefined && first === 'status') return imageStatus(flags);
    if (second !== undefined && (first === 'rollback' || first === 'status'))
      throw usage(imageCommand, `${first} takes no argument, got ${JSON.stringify(second)}`);
    if (second !== undefined)
      throw usage(
        imageCommand,
        `expected check, profile, deploy, rollback, status or one file, got ${JSON.stringify(first)}`,
      );
    return show(flags, resolve(first ?? defaultImage()));
  },
};

const OF_PROFILE = ['profile', 'profile-set'];
const OF_WAIT = ['host', 'wait', 'timeout'];
/** Flags that only some uses of the command take. */
const TAKEN: TakenFlags = {
  check: [...OF_PROFILE, 'accel', 'network', 'qemu'],
  profile: [],
  deploy: [...OF_PROFILE, ...OF_WAIT, 'canary', 'canary-time'],
  rollback: OF_WAIT,
  status: ['host'],
};

/** @param first the first word, which names the use, or the file that is shown */
function checkFlags(flags: Flags, first = ''): void {
  const taken = Object.hasOwn(TAKEN, first) ? TAKEN[first] : undefined;
  const what =
    taken === undefined ? '`shoal image` without check, deploy, rollback or status' : `\`shoal image ${first}\``;
  refuseForeign(imageCommand, flags, { all: TAKEN, taken: taken ?? OF_PROFILE, what });
}

async function check(flags: Flags, path: string): Promise<number> {
  const json = flags.oneOf('output', ['table', 'json']) === 'json';
  const { signal, over } = interruption();
  try {
    const { image, accelerator, points } = await checkImageHere(path, {
      ...profileChoice(imageCommand, flags),
      accelerator: flags.oneOf('accel', ['auto', 'kvm', 'tcg']),
      ...machineChoice(flags),
      signal,
      onPoint: (point) => (json || signal.aborted ? undefined : printText(lineOf(point))),
    });
    // Whoever has ended it wants no verdict.
    if (signal.aborted) return 1;
    const ok = points.every(({ state }) => state !== 'failed');
    if (json) {
      printJson({ path, digest: image?.digest ?? null, accelerator: accelerator ?? null, ok, points });
    }
    return ok ? 0 : 1;
  } finally {
    over();
  }
}

function lineOf({ name, state, why }: CheckPoint): string {
  return printable(`${MARKS[state]}  ${name.padEnd(17)}  ${why}`);
}

function profile(name = 'built-in'): number {
  const shipped = Object.hasOwn(SHIPPED_PROFILES, name) ? SHIPPED_PROFILES[name] : undefined;
  if (shipped === undefined)
    throw usage(imageCommand, `expected the profile to be ${NAMES.join(' or ')}, got ${JSON.stringify(name)}`);
  printText(profileText(shipped).trimEnd());
  return 0;
}

async function show(flags: Flags, path: string): Promise<number> {
  const json = flags.oneOf('output', ['table', 'json']) === 'json';
  const choice = profileChoice(imageCommand, flags);
  const image = await loadImage(path, choice);
  const accelerator = (await rememberedAccelerator(path, choice)) ?? null;
  const running = findRunning(resolve(flags.text('data') ?? defaultDataDir()))?.image;
  const running_digest = running?.path === path ? running.digest : null;
  const { bytes, digest, fileDigest, companion, profileFrom } = image;
  const isBuiltIn = path === defaultImage();
  if (json) {
    printJson({
      ...{ path, bytes, digest, file_digest: fileDigest, built_in: isBuiltIn, accelerator, running_digest },
      profile_from: profileFrom ?? null,
      profile: image.profile,
      boot_file: companion?.path ?? null,
      boot_digest: companion?.digest ?? null,
    });
    return 0;
  }
  const rows = [
    ['path', isBuiltIn ? `${path} (built-in)` : path],
    ['size', shortBytes(bytes)],
    ['digest', digest],
    ...(companion === undefined ? [] : [[companionField(image.profile), `${companion.path} (${companion.digest})`]]),
    ['profile', profileFrom ?? 'none: that of the built-in image'],
    ['machine', machineOf(image)],
    ['accelerator', accelerator ?? 'the first `shoal up` with it measures'],
    ...(running_digest === null || running_digest === digest
      ? []
      : [['running', `${running_digest}: the file has changed; the next \`shoal up\` runs it`]]),
  ];
  printText(rows.map(([name = '', value]) => `${name.padEnd(11)}  ${value}`).join('\n'));
  return 0;
}

function machineOf({ profile: { machine, boot, memoryMib, protocol, console } }: LoadedImage): string {
  return `${machine}, boot ${boot}, ${memoryMib} MiB, speaks ${protocol}, console ${console.format}`;
}
