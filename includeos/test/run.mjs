// Runs the end-to-end suites on any image that has the text service:  npm run test:image -- --image NAME|FILE [--profile NAME|FILE]
//   --image built-in, --image includeos   builds that image and one for tests, and tests both
//   --image FILE                          that file; its profile is the one beside it, unless --profile names another
//   --test-image FILE                     the same with the operations for tests; without it, what needs them is skipped
//   --only TEXT                           only tests whose names have that
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findProfile } from '../../src/hypervisor/profile/profile-source.ts';
import { knownFigures } from './figures.mjs';

const suites = ['image.test.mjs', 'overload.test.mjs'];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const builds = {
  'built-in': {
    image: here('../build/shoal-guest.elf'),
    testImage: here('../build/shoal-guest-test.elf'),
    calls: [['../build.sh']],
  },
  includeos: {
    image: here('../build/on-includeos.elf'),
    testImage: here('../build/on-includeos-test.elf'),
    calls: [
      ['../includeos/build.sh', '--image', here('../build/on-includeos.elf')],
      ['../includeos/build.sh', '--variant', 'test', '--image', here('../build/on-includeos-test.elf')],
    ],
  },
};

function fail(why) {
  process.stderr.write(`test:image: ${why}\n`);
  process.exit(2);
}

function readArguments() {
  const text = { type: 'string' };
  try {
    return parseArgs({ options: { image: text, 'test-image': text, profile: text, only: text } }).values;
  } catch (error) {
    return fail(error.message);
  }
}

function build([script, ...args]) {
  const { status } = spawnSync('sh', [here(script), ...args], { stdio: 'inherit' });
  if (status !== 0) fail(`${script} ended with ${status}`);
}

const given = readArguments();
if (given.image === undefined) fail(`--image is missing: name a file, or one of ${Object.keys(builds).join(', ')}`);
const known = Object.hasOwn(builds, given.image) ? builds[given.image] : undefined;
for (const call of known?.calls ?? []) build(call);

const image = known?.image ?? given.image;
const profileName = given.profile ?? (known && given.image);
const { profile, companion } = await findProfile(image, { profile: profileName });
if (profile.protocol !== 'frames') fail(`the suites speak frames, and the image's profile says ${profile.protocol}`);

const testImage = known?.testImage ?? given['test-image'];
const child = spawn(
  process.execPath,
  [
    ['--test', '--test-concurrency=1', '--test-reporter=spec'],
    given.only === undefined ? [] : ['--test-name-pattern', given.only],
    suites.map(here),
  ].flat(),
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      SHOAL_GUEST: image,
      ...(testImage === undefined ? {} : { SHOAL_GUEST_TEST: testImage }),
      SHOAL_GUEST_PROFILE: JSON.stringify({ ...profile, companion }),
      SHOAL_GUEST_FIGURES: JSON.stringify(knownFigures[profileName] ?? {}),
    },
  },
);
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
