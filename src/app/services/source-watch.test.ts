import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { signatureOf } from '../../file-signature.ts';
import { type Inputs, watchSources } from './source-watch.ts';

const LOOK_MS = 1_000;

/** Files that are read now. */
const asRead = (paths: readonly string[]): Inputs => new Map(paths.map((path) => [path, signatureOf(path)]));

function world(names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-watch-'));
  const clock = new ManualClock();
  let changes = 0;
  let onNext = (): void => undefined;
  const watch = watchSources(clock, () => {
    changes += 1;
    onNext();
  });
  onTestFinished(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  for (const name of names) writeFileSync(join(folder, name), 'a');
  watch.update(asRead(names.map((name) => join(folder, name))));
  return {
    ...{ folder, clock, watch },
    changes: () => changes,
    /** Resolves at the next change that the system tells. */
    told: () => new Promise<void>((resolve) => (onNext = resolve)),
  };
}

test('a file that is written to, replaced, or new in the folder is told of', async () => {
  const { folder, told } = world(['a.ts']);
  for (const save of [
    () => writeFileSync(join(folder, 'a.ts'), 'b'),
    () => {
      writeFileSync(join(folder, 'a.ts~'), 'c');
      renameSync(join(folder, 'a.ts~'), join(folder, 'a.ts'));
    },
    // An import that was missing.
    () => writeFileSync(join(folder, 'new.ts'), ''),
    () => writeFileSync(join(folder, 'data.json'), '{}'),
  ]) {
    const next = told();
    save();
    await next;
  }
});

test('a folder is watched itself: a source in it is told of', async () => {
  const { folder, watch, told } = world([]);
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/a.cpp'), 'a');
  watch.update(asRead([join(folder, 'src')]));
  const next = told();
  writeFileSync(join(folder, 'src/a.cpp'), 'b');
  await next;
});

test.each([
  ['that changed before it is named again is seen', 'a.ts', 1],
  ['that is not named any more is not', 'b.ts', 0],
])('a file %s', async (_, changed, count) => {
  const { folder, clock, changes, watch } = world([]);
  const [a, b] = [join(folder, 'deep/a.ts'), join(folder, 'deep/b.ts')];
  // Their folder is not there to be watched.
  watch.update(asRead([a, b]));
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'deep', changed), 'now');
  watch.update(asRead([a]));
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(count);
});

test('where nothing can be watched, a look in intervals sees it', async () => {
  const { folder, clock, changes, watch } = world([]);
  const file = join(folder, 'deep/a.ts');
  watch.update(asRead([file]));
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(0);
  // Its folder was not there to be watched.
  mkdirSync(join(folder, 'deep'));
  writeFileSync(file, 'now');
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(1);
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(1);
});

test('a file that was saved after it was read, and before it was watched, is told of', () => {
  const { folder, watch, changes } = world([]);
  const file = join(folder, 'a.ts');
  writeFileSync(file, 'read');
  const inputs = asRead([file]);
  writeFileSync(file, 'saved since');
  watch.update(inputs);
  expect(changes()).toBe(1);
  watch.update(inputs);
  expect(changes()).toBe(1);
});

test('a file that becomes a link in a circle is one that is gone, and tells when it is back', async () => {
  const { folder, clock, changes } = world(['a.ts']);
  const file = join(folder, 'a.ts');
  rmSync(file);
  symlinkSync('a.ts', file);
  await clock.advance(LOOK_MS);
  const before = changes();
  expect(before).toBeGreaterThan(0);
  rmSync(file);
  writeFileSync(file, 'back');
  await clock.advance(LOOK_MS);
  expect(changes()).toBeGreaterThan(before);
});

test('files of packages are not looked at, and nothing after the end', async () => {
  const { folder, clock, changes, watch } = world(['a.ts']);
  mkdirSync(join(folder, 'node_modules/x'), { recursive: true });
  const packaged = join(folder, 'node_modules/x/index.js');
  writeFileSync(packaged, 'a');
  watch.update(asRead([packaged]));
  writeFileSync(packaged, 'longer');
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(0);
  watch.update(asRead([join(folder, 'a.ts')]));
  watch.close();
  writeFileSync(join(folder, 'a.ts'), 'longer');
  await clock.advance(LOOK_MS);
  expect(changes()).toBe(0);
});
