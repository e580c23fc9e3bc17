// Where the image prints to:  node --test includeos/test/console.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accelerators, exitCodes } from './guest.mjs';
import { testImage, withGuest } from './image.mjs';

/** Of its test operations, which number them. */
const ownLines = (guest) => [...guest.output.matchAll(/^line (\d+)\.+$/gm)].map(([, number]) => Number(number));
const counted = (count) => Array.from({ length: count }, (_, i) => i);
const clientOf = async (guest, network) => (network === 'user' ? guest.connect() : (await guest.openPort()).client);

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
          const client = await clientOf(guest, network);
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

      test('a service may print more at once than the virtio console takes', async () => {
        await withGuest({ image: testImage, accelerator, network }, async (guest) => {
          await guest.ready();
          const client = await clientOf(guest, network);
          // Three times what the guest can hold; what is read here is a pipe, which holds 64 KiB.
          for (const round of [1, 2, 3]) {
            const from = guest.output.length;
            assert.equal((await client.ask('blurt', '900')).payload, 'printed 900', `round ${round}`);
            await guest.seen(/line 899/, from);
          }
          assert.deepEqual(ownLines(guest), [...counted(900), ...counted(900), ...counted(900)]);
        });
      });

      test('a panic stands behind the lines before it, and no line cuts another', async () => {
        for (const round of [1, 2, 3, 4]) {
          await withGuest({ image: testImage, accelerator, network }, async (guest) => {
            await guest.ready();
            const client = await clientOf(guest, network);
            client.send({ id: 1n, operation: 'crash', token: 't', payload: 'loud' });
            assert.equal(await guest.exitCode(), exitCodes.panic, `round ${round}`);
            assert.deepEqual(ownLines(guest), counted(40));
            assert.match(guest.output, /^panic: exception 14 [^\n]*\n\nshoal1 bye reason=panic\n$/m);
          });
        }
      });
    });
  }
}
