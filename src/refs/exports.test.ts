import { expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import { Exports } from './exports.ts';

it('a ref is forgotten once the other end has given it back as often as it was sent', async () => {
  await using kit = testKit();
  const ref = kit.system.spawn<string>(() => () => undefined);
  const exports = new Exports();
  const ids = new Set([1, 2, 3].map(() => exports.addressOf(ref)[1]));
  expect([...ids]).toEqual([1]);
  exports.release(1, 2);
  expect([exports.size, exports.get(1)]).toEqual([1, ref]);
  exports.release(1, 1);
  expect([exports.size, exports.get(1)]).toEqual([0, undefined]);
  // It gets a number of its own again, because the other end may still hear of the old one.
  expect(exports.addressOf(ref)[1]).toBe(2);
});

it('a ref that was given back after it was sent again stays', async () => {
  await using kit = testKit();
  const ref = kit.system.spawn<string>(() => () => undefined);
  const exports = new Exports();
  exports.addressOf(ref);
  exports.addressOf(ref);
  exports.release(1, 1);
  expect(exports.addressOf(ref)[1]).toBe(1);
});
