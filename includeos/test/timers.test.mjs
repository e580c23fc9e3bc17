// What an image's timers are for, and what they are not:  node --test includeos/test/timers.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expected } from './expected.mjs';
import { accelerators } from './guest.mjs';
import { withGuest } from './image.mjs';

for (const accelerator of accelerators()) {
  describe(`image under ${accelerator}`, () => {
    test('has a clock that runs as ours does', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        const client = await guest.connect();
        const took = [];
        for (let count = 0; count < 5; count++) {
          const from = performance.now();
          await client.ask('spin', '200');
          took.push(performance.now() - from);
        }
        // One of them was not held up by others on this machine.
        const least = Math.min(...took);
        assert.ok(least > 180 && least < 320, `200 ms of the guest took ${least}`);
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
