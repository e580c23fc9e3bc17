// The image with a port in the place of a network:  node --test includeos/test/port.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expected, sampleTexts } from './expected.mjs';
import { accelerators, encode, FrameType } from './guest.mjs';
import { withGuest } from './image.mjs';

for (const accelerator of accelerators()) {
  describe(`image with a port, under ${accelerator}`, () => {
    const withPort = (use) => withGuest({ accelerator, network: 'none' }, use);

    test('says ready without an address of its own, and answers every operation, the largest texts too', async () => {
      await withPort(async (guest) => {
        const [ready] = await guest.ready();
        assert.match(ready, /shoal1 ready v=1 bind=none addr=[\d.]+:\d+ max=1048576 idempotent=1 ops=upper,/);
        const { client } = await guest.openPort();
        for (const text of sampleTexts()) {
          assert.equal((await client.ask('upper', text)).payload, expected('upper', text));
        }
        const large = 'größte '.repeat(115_000);
        for (const operation of ['upper', 'sha256']) {
          assert.ok((await client.ask(operation, large)).payload === expected(operation, large));
        }
      });
    });

    test('what came before a close is answered on the next connection, once, and cut frames harm nobody', async () => {
      await withPort(async (guest) => {
        await guest.ready();
        const { client } = await guest.openPort();
        // Behind one that computes, so that nothing is answered before the close.
        client.send({ id: 1n, operation: 'spin', token: 'slow', payload: '300' });
        client.send({ id: 2n, operation: 'upper', token: 'whole', payload: 'whole' });
        const cut = encode({ id: 3n, operation: 'upper', token: 'cut', payload: 'x'.repeat(100) });
        await new Promise((resolve) => client.socket.write(cut.subarray(0, 60), resolve));
        await guest.seen(/inflight=[23] /);
        client.socket.destroy();
        const { client: next } = await guest.openPort();
        next.send({ type: FrameType.ping, id: 9n });
        const heard = [];
        while (heard.length < 3) {
          const { type, token, payload } = await next.receive();
          heard.push(`${type} ${token} ${payload}`);
        }
        assert.deepEqual(new Set(heard), new Set(['2 slow spun 300', '2 whole WHOLE', '5  ']));
        assert.equal((await next.ask('upper', 'more')).payload, 'MORE');
      });
    });

    test('bytes that are no frame end the connection, which says so; the next one is served', async () => {
      await withPort(async (guest) => {
        await guest.ready();
        const { client } = await guest.openPort();
        client.send({ id: 1n, operation: 'upper', token: 't', payload: 'before' });
        client.send(Buffer.alloc(100, 0xff));
        const heard = [];
        for (;;) {
          const frame = await client.receive();
          heard.push(frame);
          if (frame.type === FrameType.error && frame.id === 0n && frame.token === '') break;
        }
        assert.ok(heard.some(({ payload }) => payload === 'BEFORE'));
        client.socket.destroy();
        const { client: next } = await guest.openPort();
        assert.equal((await next.ask('upper', 'next')).payload, 'NEXT');
      });
    });

    test('a client that does not read stalls itself, and not the reports', async () => {
      await withPort(async (guest) => {
        await guest.ready();
        const { client } = await guest.openPort();
        client.socket.pause();
        const text = 'x'.repeat(100_000);
        for (let id = 1n; id <= 60n; id++) client.send({ id, operation: 'upper', payload: text });
        const from = guest.output.length;
        await guest.seen(/status seq=\d+(?:[\s\S]*status seq=\d+){3}/, from);
        client.socket.resume();
        // With memory for all of them or an answer that there is none, each is answered.
        for (let count = 0; count < 60; count++) {
          const { type, payload } = await client.receive();
          assert.ok(type === FrameType.reply ? payload === text.toUpperCase() : payload === '503 busy');
        }
      });
    });

    // A guest that is not woken sends 128 KiB every few seconds, when its timer rings.
    test('a client that reads again is sent the rest at once', { timeout: 15_000 }, async () => {
      await withGuest({ accelerator, network: 'none', settings: { 'shoal.status_ms': 600_000 } }, async (guest) => {
        await guest.ready();
        const { client } = await guest.openPort();
        client.socket.pause();
        const text = 'x'.repeat(1_000_000);
        client.send({ id: 1n, operation: 'upper', payload: text });
        client.send({ id: 2n, operation: 'upper', payload: text });
        // It has read both, and has no room for its answers.
        await new Promise((resolve) => client.socket.write(encode({ type: FrameType.ping, id: 3n }), resolve));
        client.socket.resume();
        for (let count = 0; count < 2; ) {
          const { type, payload } = await client.receive();
          if (type !== FrameType.reply) continue;
          assert.ok(payload === text.toUpperCase());
          count++;
        }
      });
    });

    test('stop finishes what is accepted, says bye and powers off', async () => {
      await withPort(async (guest) => {
        await guest.ready();
        const { client } = await guest.openPort();
        client.send({ id: 1n, operation: 'spin', token: 't', payload: '300' });
        await guest.seen(/inflight=1 /);
        guest.type('stop\n');
        assert.equal((await client.receive()).payload, 'spun 300');
        await guest.seen(/shoal1 bye reason=stop\n/);
        assert.equal(await guest.exitCode(), 67);
      });
    });

    test('a port of another name, or a key that is none, is a bad argument', async () => {
      await withGuest({ accelerator, network: 'none', port: false }, async (guest) => {
        await guest.seen(/shoal1 bye reason=bad-argument key=virtio_mmio\.device value= why=no-port-shoal\.link\n/);
        assert.equal(await guest.exitCode(), 69);
      });
      await withGuest({ accelerator, network: 'none', settings: { 'shoal.link': 'short' } }, async (guest) => {
        await guest.seen(/shoal1 bye reason=bad-argument key=shoal\.link value=short why=not-16-to-64-characters\n/);
        assert.equal(await guest.exitCode(), 69);
      });
    });
  });
}
