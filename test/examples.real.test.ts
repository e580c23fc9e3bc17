import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet } from './driver/fleet.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs', 'examples');
const EXAMPLES = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start();
});
afterAll(() => fleet?.stop());

test.each(EXAMPLES)('docs/examples/%s prints what it says', async (name, source) => {
  const program = new ShoalProcess([join(FOLDER, name)], {
    command: join(ROOT, 'bin', 'node'),
    before: ['--conditions=shoal-source'],
    env: { NATS_URL: fleet.ready.nats },
  });
  const said = [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => `${line}\n`);
  expect(said).not.toEqual([]);
  expect(await program.finished).toMatchObject({ stdout: said.join(''), stderr: '', exitCode: 0 });
});

test.each(EXAMPLES)('docs/client.md shows docs/examples/%s as it is', (name, source) => {
  const guide = readFileSync(join(ROOT, 'docs', 'client.md'), 'utf8');
  const block = new RegExp(`\\[\`${name}\`\\]\\(examples/${name}\\)[^\`]*\n\`\`\`ts\n(.*?)\`\`\`\n`, 's');
  expect(block.exec(guide)?.[1]).toBe(source);
});
