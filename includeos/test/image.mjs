// The images under test, and a guest of its own for each test. run.mjs names other images than the built-in one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { knownFigures } from './figures.mjs';
import { Guest } from './guest.mjs';

const built = (name) => fileURLToPath(new URL(`../build/${name}`, import.meta.url));
export const image = process.env.SHOAL_GUEST ?? built('shoal-guest.elf');
/** With the operations for tests; undefined if an image has none such. */
export const testImage =
  process.env.SHOAL_GUEST === undefined ? built('shoal-guest-test.elf') : process.env.SHOAL_GUEST_TEST;
/** For tests that need it. */
export const withTestImage = { skip: testImage === undefined && 'there is no image for tests' };

/** What is an image's own, and not the contract's. */
export const figures = JSON.parse(process.env.SHOAL_GUEST_FIGURES ?? JSON.stringify(knownFigures['built-in']));

/** Runs `use(guest)` with a guest of its own, which is ended whatever happens. */
export async function withGuest(options, use) {
  const guest = await Guest.start({ image, ...options });
  try {
    await use(guest);
  } finally {
    await guest.end();
  }
}

/** What curl prints; fails as curl does. */
export async function curl(parameters, input = '') {
  const child = spawn('curl', ['-s', '-S', '--max-time', '20', ...parameters], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // without a body to send it does not read, and may have ended
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
    child.stdin.end(input),
  ]);
  assert.equal(code, 0, errors);
  return output;
}
