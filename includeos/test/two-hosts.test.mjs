// The guest and the runner of `shoal service test` tell the same of the same service: what becomes of each request, and what the log has.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Runner } from '../../src/bundle/runner.ts';
import { accelerators, FrameType, Guest } from './guest.mjs';
import { script, serviceText, withFile } from './service-file.mjs';
import { hosted } from './two-hosts.mjs';

const image = fileURLToPath(new URL('../build/shoal-engine.elf', import.meta.url));
const LIMIT_MS = 60_000;
const TEXT = 'text/plain; charset=utf-8';
/** What a script logs so that it is known where the log of a request ends. */
const END = 'end of the log of a request';

/** As a service file has them, with the operation that ends the log of a request. */
function written({ before = '', functions, operations }) {
  const said = `{ said: () => { say('${END}'); return ''; } }`;
  const source = `var say = console.log; ${before}\n${script(`Object.assign(${functions}, ${said})`)}`;
  return { source, operations: [...operations, 'said'] };
}

async function inGuest(service) {
  const { source, operations } = written(service);
  return await withFile(serviceText(operations.join(','), source, service), async (initrd) => {
    const guest = await Guest.start({ image, accelerator: accelerators().at(-1), initrd, memoryMib: 32 });
    try {
      await guest.ready();
      const client = await guest.connect();
      // Those of the start.
      const answers = [guest.output.match(/^service: .*$/gm)];
      let from = guest.output.length;
      for (const [operation, input = '', contentType = ''] of service.requests) {
        const typed = service.payload === 'bytes' ? { type: FrameType.typedRequest, contentType } : {};
        client.send({ ...typed, id: client.nextId++, operation, payload: input });
        const { type, contentType: named, payload } = await client.receive();
        await client.ask('said', '');
        await guest.seen(new RegExp(`${END}\\r?\\n`), from);
        const end = guest.output.indexOf(END, from);
        const log = Buffer.from(guest.output.slice(from, end), 'latin1').toString().replaceAll('\r', '');
        from = end + END.length + 1;
        answers.push({
          operation,
          told: type === FrameType.error ? payload : [type === FrameType.typedReply ? named : TEXT, payload],
          log: log.replaceAll(/^(?:shoal1 .*|the engine starts anew.*)?\n/gm, ''),
        });
      }
      return answers;
    } finally {
      await guest.end();
    }
  });
}

function inRunner(service) {
  const { source, operations } = written(service);
  const texts = [];
  const runner = new Runner(source, { limitMs: LIMIT_MS, onLog: (text) => texts.push(text) });
  const { state = 'fresh', payload = 'text', idempotent = true } = service;
  assert.equal(runner.load({ operations, state, payload, idempotent }), '');
  const answers = [
    texts
      .map(asLines)
      .join('')
      .match(/^service: .*$/gm),
  ];
  texts.length = 0;
  for (const [operation, input = '', contentType] of service.requests) {
    const asBytes = (text) => (payload === 'bytes' ? new Uint8Array(Buffer.from(text)) : text);
    const told = toldOf(runner.request(operation, asBytes(input), contentType));
    runner.request('said', asBytes(''), undefined);
    const end = texts.indexOf(END);
    answers.push({
      operation,
      told,
      log: texts
        .splice(0, end + 1)
        .slice(0, end)
        .map(asLines)
        .join(''),
    });
  }
  return answers;
}

/** As a client of the guest gets it. */
function toldOf(outcome) {
  if (!outcome.ok) return `${outcome.status} ${outcome.message}`;
  const { reply, contentType } = outcome;
  if (typeof reply === 'string') return [contentType ?? TEXT, reply];
  return [contentType ?? '', Buffer.from(reply).toString()];
}

/** As the guest's log has it. */
function asLines(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a console must not get
  return `${text}\n`.replaceAll(/[\x00-\x09\x0b-\x1f\x7f]/g, ' ');
}

describe('two hosts', () => {
  for (const [name, service] of Object.entries(hosted)) {
    test(`tell the same: ${name}`, async () => {
      const guest = await inGuest(service);
      assert.deepEqual(inRunner(service), guest);
    });
  }
});
