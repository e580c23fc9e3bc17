// What an image's timers are for, and what they are not:  node --test includeos/test/timers.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expected } from './expected.mjs';
import { accelerators } from './guest.mjs';
import { withGuest } from './image.mjs';

for (const accelerator of accelerators()) {
  describe(`image under ${accelerator}`, () => {
    test('has a clock that runs no faster than ours', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        const client = await guest.connect();
        const from = performance.now();
        await client.ask('spin', '200');
        // However busy this machine is, it takes longer, and never less; the guest counts whole milliseconds.
        assert.ok(performance.now() - from > 199);
      });
    });

    // A guest that sleeps over what has come in reads on when a timer rings.
    test('reads a large text at once, and not when a timer rings', { timeout: 20_000 }, async () => {
      await withGuest({ accelerator, settings: { 'shoal.status_ms': 600_000 } }, async (guest) => {
        await guest.ready();
        const client = await guest.connect();
        const text = 'x'.repeat(1_000_000);
        for (let count = 0; count < 10; count++) {
          assert.equal((await client.ask('count', text)).payload, expected('count', text));
        }
      });
    });
  });
}
