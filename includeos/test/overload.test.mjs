// More connections, requests and bytes than an image has room for, in a real virtual machine:
//   npm run test:image -- --image built-in
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expected } from './expected.mjs';
import { accelerators, encode, FrameType } from './guest.mjs';
import { curl, figures, withGuest } from './image.mjs';

const textMax = 1048576;
const httpConnectionsMax = 24;
const connectionsMax = 32;

/** The bytes of a POST, all but the last `missing` of them. */
function post(operation, text, missing = 0) {
  const bytes = Buffer.from(`POST /${operation} HTTP/1.1\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  return bytes.subarray(0, bytes.length - missing);
}

/** As many different words as fit into a text of that size. */
function differentWords(size) {
  let words = '';
  for (let i = 0; words.length < size; i++) words += `${i.toString(36)} `;
  return words.slice(0, size);
}

async function assertAnswers(guest, what) {
  const link = await guest.connect();
  link.send({ type: FrameType.ping, id: 1 });
  assert.equal((await link.receive())?.type, FrameType.pong, what);
  return link;
}

/** A link like Shoal's: one that is cut off on the way in connects again. Bounded: the crowd has no claim to its place. */
async function linkOf(guest) {
  for (let tries = 1; ; tries++) {
    const link = await guest.connect();
    link.send({ type: FrameType.ping, id: 1 });
    const answer = await link.receive();
    if (answer?.type === FrameType.pong) return link;
    assert.ok(tries < 20, `a link is kept out: ${JSON.stringify(answer?.payload)}`);
    link.socket.destroy();
  }
}

/** The next response of an HTTP client: its status and text. */
async function response(client) {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    if (!(await client.have(1))) return undefined;
    head += client.take(1).toString('latin1');
  }
  const size = Number(/Content-Length: (\d+)/.exec(head)[1]);
  await client.have(size);
  return { status: Number(head.slice(9, 12)), text: client.take(size).toString() };
}

for (const accelerator of accelerators()) {
  describe(`image under ${accelerator}, overloaded`, () => {
    test('100 HTTP clients that keep their connections, or connect again, do not keep a link from its own', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        let ended = false;
        const refused = Promise.withResolvers(); // the first of the crowd that finds all places taken
        const client = async () => {
          while (!ended) {
            const connection = await guest.connect();
            connection.send(post('upper', 'x'));
            let answer = await response(connection);
            for (; !ended && answer?.status === 200; answer = await response(connection)) {
              assert.equal(answer.text, 'X');
              connection.send(post('upper', 'x'));
            }
            if (answer?.status === 503) refused.resolve();
            connection.socket.destroy();
          }
        };
        const crowd = Promise.all(Array.from({ length: 100 }, client));
        crowd.catch(() => undefined); // whoever is still on the way in when the guest ends
        await Promise.race([refused.promise, crowd]);
        for (let i = 0; i < 5; i++) {
          const link = await Promise.race([linkOf(guest), crowd]);
          assert.equal((await link.ask('upper', 'link')).payload, 'LINK');
          link.socket.destroy();
        }
        ended = true;
      });
    });

    test('HTTP connections in use leave places for links; of all, those beyond are told that the guest is busy', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        const reading = [];
        for (let i = 0; i < httpConnectionsMax; i++) {
          reading.push(await guest.connect());
          reading[i].send(post('upper', 'half', 1));
        }
        const url = `http://${guest.host}:${guest.port}/upper`;
        await guest.seen(/ inflight=24 /);
        assert.equal(await curl(['-w', '%{http_code}', '-d', 'late', url]), 'busy\n503');
        for (let i = httpConnectionsMax; i < connectionsMax; i++) {
          const link = await assertAnswers(guest, `link ${i}`);
          link.send(encode({ id: 1, payload: 'half' }).subarray(0, 18));
        }
        await guest.seen(/ inflight=32 /);
        const late = await guest.connect();
        late.send({ id: 3, token: 'token', payload: 'late' });
        assert.deepEqual(await late.receive(), { type: FrameType.error, id: 0n, token: '', payload: '503 busy' });
        assert.equal(await late.receive(), undefined);
        assert.equal(late.failure, undefined);

        for (const client of reading) {
          client.send(Buffer.from('f'));
          assert.deepEqual(await response(client), { status: 200, text: 'HALF' });
        }
        // Once they have been idle for a second, one of them gives way.
        let told = '503 busy';
        while (told === '503 busy') {
          const link = await guest.connect();
          link.send({ type: FrameType.ping, id: 1 });
          told = (await link.receive()).payload;
        }
        assert.equal(told, '');
      });
    });

    test('connections that say nothing, and such as are never closed, keep nobody out', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        for (let i = 0; i < 120; i++) {
          const silent = await guest.connect();
          if (i % 2 === 0) silent.send(Buffer.from('nonsense\r\n\r\n'));
          await sleep(5); // QEMU takes one at a time: those that come sooner wait for a second
        }
        await assertAnswers(guest, 'a link');
      });
    });

    test('large requests that never end hold bounded memory, and a link has its own', async () => {
      await withGuest({ accelerator }, async (guest) => {
        await guest.ready();
        const text = 'x'.repeat(textMax);
        const slow = [];
        for (let i = 0; i < httpConnectionsMax; i++) {
          slow.push(await guest.connect());
          slow[i].send(post('upper', text, 1));
        }
        const link = await assertAnswers(guest, 'a link');
        for (let i = 0; i < 8; i++) assert.ok((await link.ask('upper', text)).payload === text.toUpperCase());
        // Memory holds a few of them, whichever came first. One that waits for room is told in the end that there is none.
        assert.ok(await Promise.race(slow.map((client) => client.have(1))));
        for (const client of slow) if (client.buffered === 0 && !client.over) client.send(Buffer.from('x'));
        const answers = await Promise.all(slow.map(response));
        const served = answers.filter(({ status }) => status === 200);
        assert.ok(served.length > 0 && served.every((answer) => answer.text === text.toUpperCase()));
        const refused = answers.filter(({ status }) => status !== 200);
        assert.ok(refused.length > 0 && refused.every(({ status, text: told }) => status === 503 && told === 'busy\n'));
      });
    });

    test('64 texts of the largest size, of different words, on a link and over HTTP: each is answered, or told busy', async () => {
      const memory = figures.roomyMib === undefined ? {} : { memoryMib: figures.roomyMib };
      await withGuest({ accelerator, ...memory, settings: { 'shoal.status_ms': 1000 } }, async (guest) => {
        await guest.ready();
        const text = differentWords(textMax);
        const answer = expected('freq', text);
        const link = await guest.connect();
        const clients = [];
        for (let i = 0; i < 16; i++) clients.push(await guest.connect());
        for (let id = 0; id < 64; id++) link.send({ id, operation: 'freq', payload: text });
        for (const client of clients) client.send(post('freq', text));
        // Which are answered, if any, depends on where in the memory the others' texts lie.
        for (let i = 0; i < 64; i++) {
          const { type, payload } = await link.receive();
          assert.equal(payload, type === FrameType.reply ? answer : '503 busy');
        }
        for (const client of clients) {
          const { status, text: got } = await response(client);
          assert.ok((status === 200 && got === answer) || (status === 503 && got === 'busy\n'), `${status} ${got}`);
        }
        assert.equal((await link.ask('freq', text)).payload, answer);
        await guest.seen(/ inflight=0 /, guest.output.length);
      });
    });
  });
}
