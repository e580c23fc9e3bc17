// Where the image prints to:  node --test includeos/test/console.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accelerators } from './guest.mjs';
import { withGuest } from './image.mjs';

for (const accelerator of accelerators()) {
  for (const network of ['user', 'none']) {
    describe(`with network ${network}, under ${accelerator}`, () => {
      test('an image prints to its UART if it has no virtio console', async () => {
        await withGuest({ accelerator, network, console: 'uart' }, async (guest) => {
          await guest.ready();
          await guest.seen(/status seq=2 /);
          assert.equal(guest.lines, undefined);
        });
      });

      test('an image prints whole lines to its virtio console, and nothing to the UART then', async () => {
        await withGuest({ accelerator, network }, async (guest) => {
          let byUart = '';
          guest.child.stdout.on('data', (text) => {
            byUart += text;
          });
          await guest.seen(/status seq=2 /);
          const client = network === 'user' ? await guest.connect() : (await guest.openPort()).client;
          const from = guest.output.length;
          client.send({ id: 1n, operation: 'spin', token: 't', payload: '500' });
          await guest.seen(/inflight=1 /, from);
          guest.type('stop\n');
          assert.equal((await client.receive()).payload, 'spun 500');
          await guest.seen(/shoal1 bye reason=stop\n/);
          assert.equal(await guest.exitCode(), 67);
          assert.equal(byUart, '');
          for (const line of guest.output.split('\n'))
            assert.match(line, /^(?:stopping|shoal1 (?:ready|status|bye) .*)?$/);
        });
      });
    });
  }
}
