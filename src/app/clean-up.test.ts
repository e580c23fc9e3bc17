import { expect, test } from 'vitest';
import { CleanUp } from './clean-up.ts';

test('what was started last ends first, one after the other, once', async () => {
  const cleanUp = new CleanUp();
  const ended: string[] = [];
  cleanUp.add(() => void ended.push('first'));
  cleanUp.add(async () => {
    await Promise.resolve();
    ended.push('second');
  });
  await Promise.all([cleanUp.run(), cleanUp.run()]);
  expect(ended).toEqual(['second', 'first']);
});

test('a step that fails keeps no other from running, and the first failure is told', async () => {
  const cleanUp = new CleanUp();
  const ended: string[] = [];
  cleanUp.add(() => void ended.push('first'));
  cleanUp.add(() => Promise.reject(new Error('one')));
  cleanUp.add(() => {
    throw new Error('two');
  });
  await expect(cleanUp.run()).rejects.toThrow('two');
  expect(ended).toEqual(['first']);
});
