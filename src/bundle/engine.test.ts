import { expect, test } from 'vitest';
import { CutOff, Engine } from './engine.ts';

const MIB = 2 ** 20;

test.each([
  ['takes memory', 'globalThis.all = new Uint8Array(8 * 2 ** 20).fill(1);'],
  ['takes none', ''],
])('after a script that %s was cut off, the engine is as it was, however often', (_, script) => {
  const engine = new Engine({ stackBytes: 262_144, memoryBytes: 18 * MIB, onHost: () => undefined });
  const before = engine.state();
  const sizes = [1, 2, 3].map(() => {
    engine.free(engine.evaluate(script, 'a.js'));
    expect(() => engine.within(50, () => engine.evaluate('for (;;);', 'b.js'))).toThrow(CutOff);
    const { memory } = engine.state();
    engine.restore(before);
    expect(engine.state().stackPointer).toBe(before.stackPointer);
    return memory.length;
  });
  expect(sizes).toEqual([sizes[0], sizes[0], sizes[0]]);
});
