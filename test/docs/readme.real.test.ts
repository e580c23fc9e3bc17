import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { defaultImage } from '../../src/app/mod.ts';
import { willEnd } from '../driver/end-left.ts';
import { randomPool, temporaryFolder } from '../driver/fleet.ts';
import { ShoalProcess } from '../driver/shoal-process.ts';
import { stepsOf, withoutFigures } from './console-block.ts';
import { Page } from './page.ts';

test('the README shows what `npm start` prints until it is ready', async () => {
  const shown = Page.read('README.md').blocks.find(({ text }) => text.startsWith('$ npm start\n'));
  const data = temporaryFolder();
  const pool = randomPool(3);
  willEnd({ data, pool });
  // After its set-up, `npm start` runs this.
  const up = new ShoalProcess(['up', '--data', data, '--pool', pool]);
  await up.stderrHas(/Ctrl-C ends everything\.\n/);
  const printed = up.stderr.slice(0, up.stderr.indexOf('Ctrl-C ends everything.') + 'Ctrl-C ends everything.'.length);
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
  const { output = '' } = stepsOf(shown?.text ?? '')[0] ?? {};
  // On a new machine, the accelerators are measured first.
  const measuring = /^(measuring once|accelerator )/;
  const lines = printed.split('\n').filter((line) => !measuring.test(line));
  expect(withoutPlaces(lines.join('\n'))).toBe(withoutPlaces(output));
});

test('the README says how large the image is', () => {
  const [, said] = /\bis\s+about\s+(\d+)\s+kB\b/.exec(Page.read('README.md').text) ?? [];
  const bytes = statSync(defaultImage()).size;
  expect(Math.abs(Number(said) * 1000 - bytes), `${said} kB said, ${bytes} bytes found`).toBeLessThan(bytes / 5);
});

/** The output also contains the path of `shoal` and the data directory. */
function withoutPlaces(text: string): string {
  return withoutFigures(text, hostname()).replace(/`(?:\S*\/)?shoal send (?:--data \S+ )?/, '`shoal send ');
}
