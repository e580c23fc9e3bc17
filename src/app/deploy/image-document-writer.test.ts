import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { ImageDocument } from '../../store/mod.ts';
import { ImageDocumentWriter } from './image-document-writer.ts';

const documentOf = (image: string): ImageDocument => ({ image, before: null, deploy: null });

function world() {
  const clock = new ManualClock();
  const saved: string[] = [];
  const failures: unknown[] = [];
  const state = { latest: documentOf('first'), fails: false };
  const writer = new ImageDocumentWriter({
    store: {
      save: async ({ image }) => {
        if (state.fails) throw new Error('no space');
        saved.push(image);
      },
    },
    clock,
    latest: () => state.latest,
    onFailure: (error) => failures.push(error),
  });
  return { clock, saved, failures, state, writer };
}

describe('the writer of what is deployed', () => {
  it('writes the latest document, whenever it changes', async () => {
    for (let turns = 0; turns < 20; turns += 1) {
      const { saved, state, writer } = world();
      const first = writer.keep();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      state.latest = documentOf('second');
      await writer.keep();
      await first;
      expect([turns, saved.at(-1)]).toEqual([turns, 'second']);
    }
  });

  it('tries again later and later until it succeeds, and tells of the first failure', async () => {
    const { clock, saved, failures, state, writer } = world();
    state.fails = true;
    const kept = writer.keep();
    await clock.advance(2_000);
    expect([saved, failures]).toEqual([[], [expect.objectContaining({ message: 'no space' })]]);
    state.fails = false;
    await clock.advance(10_000);
    await kept;
    expect(saved).toEqual(['first']);
  });

  it('goes on after a write that failed', async () => {
    const { saved, state, writer } = world();
    state.fails = true;
    await expect(writer.write(documentOf('lost'))).rejects.toThrow('no space');
    state.fails = false;
    await writer.write(documentOf('next'));
    expect(saved).toEqual(['next']);
  });
});
